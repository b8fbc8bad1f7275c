import { RUN_MIME, type MimeBundle, type RunView } from '../../protocol';
import { frameTable } from './table';

/**
 * A run as a notebook output: the strip for editors that know it, the drawn strip for pages that show notebooks, and a
 * table for everything else.
 *
 * @param view packed, so that the document stays small
 * @param stripJpeg nothing where no picture of the strip is wanted
 */
export function mimeBundle(view: RunView, stripJpeg?: Uint8Array): MimeBundle {
  return {
    [RUN_MIME]: view,
    ...(stripJpeg ? { 'image/jpeg': Buffer.from(stripJpeg).toString('base64') } : {}),
    'text/plain': frameTable(view.record),
  };
}
