import { RestorationError } from '../../protocol';

/** Longest description kept, in characters. */
export const MAXIMUM_SCENE = 240;
/** Longest answer looked at: models that think aloud may write a lot before the sentence. */
const MAXIMUM_ANSWER = 65_536;

/** Words in which models announce their answer instead of giving it. */
const ANNOUNCEMENT = /^(?:sure|certainly|of course|okay|ok|here is|here's|the description)\b[^.:!\n]{0,80}[:!.]\s*/i;

/**
 * One plain sentence out of what a language model answered, which is not trusted: reasoning, markup, control and
 * direction characters go, the first sentence stays, at most `MAXIMUM_SCENE` characters, cut between words.
 *
 * @throws RestorationError `endpoint-failed` when nothing is left that could describe a picture
 */
export function sceneSentence(answer: string): string {
  let text = answer
    .slice(0, MAXIMUM_ANSWER)
    .normalize('NFC')
    .replace(/<think(?:ing)?>[\s\S]*?(?:<\/think(?:ing)?>|$)/gi, ' ')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    // Format characters hide text and turn its direction, private and unassigned ones show nothing.
    .replace(/[\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu, '')
    .replace(/[`*_#<>|~[\]{}\\]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  text = unquoted(text.replace(ANNOUNCEMENT, '')).trim();
  const end = /[.!?](?=\s+\p{Lu}|\s*$)/u.exec(text);
  if (end && end.index > 2) text = text.slice(0, end.index + 1);
  text = shortened(unquoted(text));
  if (!/\p{L}{2}/u.test(text)) {
    throw new RestorationError(
      'endpoint-failed',
      'The endpoint answered without a description of the picture.',
      'Try another model, or give the prompt yourself.',
    );
  }
  return text;
}

function unquoted(text: string): string {
  return text.replace(/^["'“”„‘’«»\s]+|["“”„«»\s]+$/gu, '');
}

function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= MAXIMUM_SCENE) return text;
  const start = characters.slice(0, MAXIMUM_SCENE).join('');
  const space = start.lastIndexOf(' ');
  return (space > MAXIMUM_SCENE / 2 ? start.slice(0, space) : start).trimEnd();
}
