import path from 'node:path';
import { RestorationError, type FigureDrawing, type MetricProtocol, type Region } from '../protocol';
import { labelFolders, planResults } from '../restoration/evaluation';
import { writeFileAtomically } from '../restoration/image/files';
import { isFolder } from './evaluate-results';
import { anySignal } from './restore';
import { displayHost, inferenceClient } from './session';

export interface FigureOptions {
  /** Pictures of the methods in order; `NAME=PATH` gives a label. With `picture`: folders of results. */
  methods: readonly string[];
  /** The sharp picture; with `picture` its folder. */
  reference: string;
  /** The degraded picture; with `picture` its folder. A smaller one is enlarged by bicubic interpolation. */
  input?: string;
  /** Name of a picture in the folders; needed when folders are given. */
  picture?: string;
  /** Region in pixels of the reference; where the methods differ most unless said otherwise. */
  region?: Region;
  protocol: MetricProtocol;
  /** Border that `sr` crops; 4 unless said otherwise. */
  scale?: number;
  /** Crops in a row. */
  columns?: number;
  /** False leaves out the line about protocol and region. */
  note?: boolean;
  signal?: AbortSignal;
}

/** A zoom-crop figure as PNG and SVG. */
export class Figure {
  constructor(
    /** The picture's bytes. */
    readonly png: Buffer,
    readonly svg: string,
    /** Region that is shown enlarged, in pixels of the reference. */
    readonly region: Region,
    /** PSNR and SSIM of the whole pictures, the input first where there is one. */
    readonly entries: FigureDrawing['entries'],
    readonly width: number,
    readonly height: number,
  ) {}

  /**
   * Writes the figure: the ending chooses, and a name without `.png` or `.svg` gets both.
   *
   * @returns the files that were written
   */
  async save(file: string): Promise<string[]> {
    const ending = path.extname(file).toLowerCase();
    const files: Array<[string, Uint8Array | string]> =
      ending === '.png'
        ? [[file, this.png]]
        : ending === '.svg'
          ? [[file, this.svg]]
          : [
              [`${file}.png`, this.png],
              [`${file}.svg`, this.svg],
            ];
    for (const [target, bytes] of files) await writeFileAtomically(path.resolve(target), bytes);
    return files.map(([target]) => target);
  }
}

/**
 * The figure that papers show: the whole picture with a box, and that region enlarged for the input, every method and the
 * reference, with PSNR and SSIM under each; best bold, second underlined.
 *
 * @throws RestorationError `size-mismatch` for pictures of different sizes; `bad-argument` for a region outside of the
 *   picture or a name that is not in the folders; `missing-file` and `unreadable-picture`
 * @example
 * const drawing = await figure({
 *   methods: ['EDSR=out/edsr/baby.png', 'Ours=out/ours/baby.png'], reference: 'HR/baby.png', input: 'LR/baby.png', protocol: 'sr',
 * });
 * await drawing.save('figure'); // figure.png and figure.svg
 */
export async function figure(options: FigureOptions): Promise<Figure> {
  const { picture, region, protocol, scale = 4, columns, note = true } = options;
  const signal = anySignal([options.signal, displayHost()?.signal]);
  const files = picture === undefined ? filesOf(options) : await filesInFolders(options, picture);
  const drawing = await inferenceClient().figure(
    {
      ...files,
      ...(region === undefined ? {} : { region }),
      protocol,
      scale,
      ...(columns === undefined ? {} : { columns }),
      note,
      priority: 'interactive',
    },
    signal ? { signal } : {},
  );
  const { png, svg, width, height, entries } = drawing;
  return new Figure(Buffer.from(png, 'base64'), svg, drawing.region, entries, width, height);
}

type Files = { methods: Array<{ file: string; label: string }>; reference: string; input?: string };

function filesOf({ methods, reference, input }: FigureOptions): Files {
  const folder = [...methods, reference, ...(input === undefined ? [] : [input])].find(isFolder);
  if (folder !== undefined) {
    throw new RestorationError(
      'bad-argument',
      `${folder} is a folder, and it is not said which of its pictures to show.`,
      'Name the picture: --picture NAME (picture).',
    );
  }
  return {
    methods: methods.map((word) => {
      const sign = word.indexOf('=');
      const label = sign > 0 ? word.slice(0, sign).trim() : '';
      const file = sign > 0 ? word.slice(sign + 1) : word;
      return { file: path.resolve(file), label: label || path.parse(file).name };
    }),
    reference: path.resolve(reference),
    ...(input === undefined ? {} : { input: path.resolve(input) }),
  };
}

async function filesInFolders({ methods, reference, input }: FigureOptions, picture: string): Promise<Files> {
  const results = labelFolders(methods, isFolder);
  const inputs = input === undefined ? [] : [{ name: 'input', folder: path.resolve(input) }];
  // Inputs first, as in the figure.
  const plan = await planResults([...inputs, ...results], path.resolve(reference));
  const found = plan.pictures.find(({ name }) => name === picture || name === path.parse(picture).name);
  if (!found) {
    throw new RestorationError(
      'bad-argument',
      `${reference} holds no picture called ${JSON.stringify(picture)}.`,
      `There are ${plan.pictures
        .slice(0, 5)
        .map(({ name }) => name)
        .join(', ')}${plan.pictures.length > 5 ? ' and others' : ''}.`,
    );
  }
  const files = found.results.map((file, i) => {
    if (file !== undefined) return file;
    throw new RestorationError(
      'missing-file',
      `${plan.folders[i]!.folder} holds no picture for ${JSON.stringify(found.name)}.`,
      'Choose a picture that every folder has.',
    );
  });
  return {
    methods: results.map(({ name }, i) => ({ label: name, file: files[i + inputs.length]! })),
    reference: found.reference,
    ...(inputs.length > 0 ? { input: files[0]! } : {}),
  };
}
