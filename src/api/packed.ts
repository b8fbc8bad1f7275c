import type { RunView } from '../protocol';
import { inferenceClient } from './session';

const known = new WeakMap<RunView, Promise<RunView>>();

/** The compact form in which a notebook holds a run; made once, however often the run is shown. After a failure the next showing tries again. */
export function packed(view: RunView): Promise<RunView> {
  // A run is not lost because it could not be made smaller (the service was killed): it is shown as it is.
  const made =
    known.get(view) ??
    inferenceClient()
      .pack(view)
      .catch(() => {
        known.delete(view);
        return view;
      });
  known.set(view, made);
  return made;
}
