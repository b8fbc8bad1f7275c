import { RUN_MIME, isRunView, type MimeBundle, type RunState } from '../protocol';

/** True for a bundle whose run says that it is still working. */
export function isUnfinished(bundle: MimeBundle): boolean {
  const view = bundle[RUN_MIME];
  return isRunView(view) && view.state.kind === 'running';
}

/**
 * A bundle as it may be kept when its run will not go on: "running at 43 %" becomes how it ended, so that no saved
 * notebook waits for ever. Other bundles are returned as they are.
 */
export function finished(bundle: MimeBundle, state: Exclude<RunState, { kind: 'running' }>): MimeBundle {
  const view = bundle[RUN_MIME];
  return isRunView(view) && view.state.kind === 'running' ? { ...bundle, [RUN_MIME]: { ...view, state } } : bundle;
}
