import { RestorationError } from '../../protocol';

/**
 * A frame of a video by its name: a clip, a separator, and a frame number of 5 to 8 digits. REDS `000_00000013`, GoPro
 * `GOPR0384_11_00-000001`, or folders `000/00000013`. Numbers of another length (`img_001`, `DSC_0012`, the 12 digits of COCO) are
 * names of pictures of their own.
 */
const FRAME_OF_CLIP = /^(.+?)[-_/](?:frame_?)?\d{5,8}$/i;
/** Words between a clip and its frames that are no part of the clip's name. */
const KIND = /\/(?:blur|blur_gamma|sharp|input|reference|gt|lq|hq|lr|hr)$/i;

/** How pictures were put together, in words for the report. */
export interface ClipRule {
  /** The clip of a name; a picture of its own is its own clip. */
  clipOf: (name: string) => string;
  description: string;
}

const USUAL: ClipRule = {
  clipOf: (name) => FRAME_OF_CLIP.exec(name)?.[1]?.replace(KIND, '') ?? name,
  description:
    'CLIP_00000013, CLIP-000001 or CLIP/00000013 (a frame number of 5 to 8 digits); all others are single pictures',
};

/**
 * The rule that says which pictures are frames of one video, and therefore not independent of each other.
 *
 * @param pattern a regular expression for names (path below the reference folder, without ending): its first group, or the
 *   whole match when it has none, is the clip; names that do not match are single pictures. `^.*$` makes every picture single.
 * @throws RestorationError `bad-argument` for a pattern that is not a regular expression
 */
export function clipRule(pattern?: string): ClipRule {
  if (pattern === undefined) return USUAL;
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, 'u');
  } catch (error) {
    throw new RestorationError(
      'bad-argument',
      `The clip pattern ${JSON.stringify(pattern)} is not a regular expression (${error instanceof Error ? error.message : String(error)}).`,
      "Write one whose first group is the clip, for example '^(.+)_\\d+$'.",
      { cause: error },
    );
  }
  return {
    clipOf: (name) => {
      const match = expression.exec(name);
      return match ? (match[1] ?? match[0]) : name;
    },
    description: pattern,
  };
}
