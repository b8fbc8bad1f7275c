import path from 'node:path';
import { ADAPTER_NAME, RestorationError, type AdapterWish } from '../../protocol';
import { expertAdapter, readAdapter, type ExpertAdapter } from '../adapters/lora';
import { readVideoAdapter, type VideoAdapter } from '../adapters/video-adapter';
import { expertOf, type InstalledModel, type RestorationManifest } from '../models/manifest';

/** An adapter that was made for a model: for one of its experts, or for its transformer. */
export type ModelAdapter = ExpertAdapter | VideoAdapter;

/**
 * Reads the adapters of a request and checks that they were made for the model. A mere name means one that lies in the
 * model's folder, under `adapters`.
 *
 * @throws RestorationError `bad-argument` for a model that takes none; what `readAdapter` and `expertAdapter` throw
 */
export async function loadAdapters(
  { folder, manifest }: InstalledModel<RestorationManifest>,
  wishes: readonly AdapterWish[],
): Promise<ModelAdapter[]> {
  if (wishes.length === 0) return [];
  if (manifest.kind === 'network') {
    throw new RestorationError(
      'bad-argument',
      `Model ${manifest.id} takes no adapters.`,
      'Leave the adapter out, or choose the model it was made for.',
    );
  }
  const adapters: ModelAdapter[] = [];
  for (const { file, scale } of wishes) {
    const place = ADAPTER_NAME.test(file) ? path.join(folder, 'adapters', `${file}.safetensors`) : file;
    if (manifest.kind === 'cogvideox') {
      adapters.push(await readVideoAdapter({ file: place, scale }));
      continue;
    }
    adapters.push(
      expertAdapter(await readAdapter({ file: place, scale }), manifest, (task) => {
        const { trunk, head } = expertOf(manifest, task);
        return { trunk: manifest.files[trunk]?.sha256 ?? '', head: manifest.files[head]?.sha256 ?? '' };
      }),
    );
  }
  return adapters;
}
