import { RUN_MIME, type MimeBundle, type RunView } from '../../protocol';
import { frameTable } from './table';

/**
 * A run as a notebook output: the strip for editors that know it, the drawn strip for pages that show notebooks, and a
 * table for everything else. Without `stripPng` (while a run goes on) there is no picture.
 */
export function mimeBundle(view: RunView, stripPng?: Uint8Array): MimeBundle {
  return {
    [RUN_MIME]: view,
    ...(stripPng ? { 'image/png': Buffer.from(stripPng).toString('base64') } : {}),
    'text/plain': frameTable(view.record),
  };
}
