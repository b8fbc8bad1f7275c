import sharp from 'sharp';
import type { Pixels } from '../../../src/measure';
import type { Region } from '../../../src/protocol';

/** The pixels of a data URL, as RGB. */
export async function pixelsOfUrl(dataUrl: string): Promise<Pixels & { data: Uint8Array }> {
  const bytes = Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64');
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height };
}

/** A rectangle of a picture. */
export function cut({ data, width }: Pixels, region: Region): Uint8Array {
  const rows = Array.from({ length: region.height }, (_, y) => {
    const from = ((region.y + y) * width + region.x) * 3;
    return data.slice(from, from + region.width * 3);
  });
  return Uint8Array.from(rows.flatMap((row) => [...row]));
}
