import { METRICS, type MeasureRequest, type RequestKind, type Requests } from '../protocol';
import { decodeSource } from '../restoration/image/decode';

/** Kinds of requests that never run a network. */
const WITHOUT_DEVICE: readonly RequestKind[] = ['inspect', 'look', 'figure', 'draw', 'pack'];

/** Whether a request runs networks, and so has to wait for other programs that do. */
export function needsDevice(kind: RequestKind, request: Requests[RequestKind]['request']): boolean {
  if (kind === 'measure') return ((request as MeasureRequest).metrics ?? METRICS).includes('lpips');
  return !WITHOUT_DEVICE.includes(kind);
}

/** The picture files that a request reads before it computes anything. */
function picturesOf(kind: RequestKind, request: Requests[RequestKind]['request']): string[] {
  const { input, reference, a, b, frames } = request as Partial<
    Record<'input' | 'reference' | 'a' | 'b' | 'frames', unknown>
  >;
  const list: unknown[] = kind === 'strip' && Array.isArray(frames) ? frames : [];
  return [input, reference, a, b, ...list].filter((file): file is string => typeof file === 'string');
}

/**
 * Reads the pictures of a request that has to wait, and forgets them: one that is broken is told of at once, and not when
 * its turn has come.
 *
 * @throws RestorationError as `decodeSource`
 */
export async function checkPictures(kind: RequestKind, request: Requests[RequestKind]['request']): Promise<void> {
  for (const file of picturesOf(kind, request)) await decodeSource(file);
}
