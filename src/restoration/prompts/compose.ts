import type { RunRecord } from '../../protocol';

/**
 * The text that a network is given, and where it came from. A scene prompt is the uniform sentence followed by the
 * scene, as in the paper's scene-specific prompts; a prompt that already carries the uniform sentence is left alone.
 *
 * @param source who wrote the prompt; the user unless said otherwise
 */
export function composePrompt(
  uniform: string,
  prompt: string | undefined,
  source: Exclude<RunRecord['prompt']['source'], 'uniform'> = 'user',
): RunRecord['prompt'] {
  const wish = prompt?.trim() ?? '';
  if (wish === '' || wish === uniform) return { text: uniform, source: 'uniform' };
  if (wish.startsWith(uniform)) return { text: wish, source };
  return { text: `${uniform} ${wish}`, source };
}
