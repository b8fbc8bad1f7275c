import { inspect } from 'node:util';
import { MIME_BUNDLE, isDisplayable, type MimeBundle } from '../../protocol';

/** Shows the value of a cell's last expression: nothing for undefined, displayables as they wish, others as text. */
export async function showValue(
  value: unknown,
  fallbackId: string,
  display: (displayId: string, bundle: MimeBundle) => void,
): Promise<void> {
  if (value === undefined) return;
  const displayables = isDisplayable(value) ? [value] : listOfDisplayables(value);
  if (!displayables) return display(fallbackId, { 'text/plain': inspect(value, { breakLength: 100 }) });
  for (const [index, displayable] of displayables.entries()) {
    const bundle = await displayable[MIME_BUNDLE]();
    display(displayable.displayId ?? `${fallbackId}.${index + 1}`, bundle);
  }
}

function listOfDisplayables(value: unknown): ReturnType<typeof asDisplayables> {
  return Array.isArray(value) && value.length > 0 ? asDisplayables(value) : undefined;
}

function asDisplayables(values: unknown[]) {
  return values.every(isDisplayable) ? values : undefined;
}
