import path from 'node:path';
import { RestorationError, isFrameFile, type DrawRequest, type Requests } from '../../protocol';
import { smallJpeg } from '../image/compose';
import { decodePicture } from '../image/decode';
import type { Pixels } from '../image/pixels';
import { drawStrip } from '../report/draw-strip';

/**
 * The strip of a finished run as a base64 PNG, or small as a JPEG, drawn from its frame files.
 *
 * @throws RestorationError `missing-file` when the frames are gone
 */
export async function drawRecord(request: DrawRequest): Promise<Requests['draw']['result']> {
  const frames: Pixels[] = [];
  for (const { file } of request.record.frames) {
    if (!isFrameFile(file)) {
      throw new RestorationError(
        'bad-argument',
        `${JSON.stringify(file)} is not the name of a stored frame.`,
        'Run the restoration again.',
      );
    }
    frames.push((await decodePicture(path.join(request.framesFolder, file))).pixels);
  }
  const reference = request.reference === undefined ? undefined : (await decodePicture(request.reference)).pixels;
  const drawn = await drawStrip({ record: request.record, frames, ...(reference ? { reference } : {}) });
  // Width and height stand at fixed places of every PNG's first chunk.
  const [width, height] = [drawn.readUInt32BE(16), drawn.readUInt32BE(20)];
  if (!request.small) return { picture: drawn.toString('base64'), width, height };
  const small = await smallJpeg(drawn);
  return { picture: small.toString('base64'), width: Math.round(width / 2), height: Math.round(height / 2) };
}
