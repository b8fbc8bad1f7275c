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

/** Why a bundle's run says that it failed; undefined for every other bundle. */
export function failureIn(bundle: MimeBundle): string | undefined {
  const view = bundle[RUN_MIME];
  return isRunView(view) && view.state.kind === 'failed' ? view.state.message : undefined;
}

/** A failed run that leaves the reason to the error of its cell: a sentence is said once. */
export function withoutReason(bundle: MimeBundle): MimeBundle {
  const view = bundle[RUN_MIME];
  return isRunView(view) ? { ...bundle, [RUN_MIME]: { ...view, state: { kind: 'failed', message: '' } } } : bundle;
}
