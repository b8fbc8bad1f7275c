import assert from 'node:assert/strict';
import { stripBundle } from './support/bundles';
import { mountStrip, settled, type Mounted } from './support/mounted-strip';
import { sampleRun, type Sample } from './support/run-view';
import { Site } from './support/site';

const REFUSAL = 'This output is not a run that this version can show.';
const SCRIPT = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

/** A change of one field of a run, by its path. */
type Change = [path: string, value: unknown];

describe('strip with hostile outputs', () => {
  let site: Site;
  let sample: Sample;
  let mounted: Mounted;

  before(async () => {
    sample = await sampleRun({ frames: 3 });
    site = await Site.open({ 'strip.mjs': await stripBundle() });
    mounted = await mountStrip(site, sample.view, { files: sample.files });
  });
  after(() => site.close());

  /** The text of a run with `changes` made. Text, so that keys such as `__proto__` arrive as own keys. */
  function changed(...changes: Change[]): string {
    const view = JSON.parse(JSON.stringify(sample.view)) as Record<string, unknown>;
    for (const [path, value] of changes) {
      const keys = path.split('.');
      const last = keys.pop() ?? '';
      let target: Record<string, unknown> = view;
      for (const key of keys) target = target[key] as Record<string, unknown>;
      Object.defineProperty(target, last, { value, enumerable: true, configurable: true, writable: true });
    }
    return JSON.stringify(view);
  }

  async function refuses(text: string): Promise<void> {
    await mounted.update(text);
    assert.equal(await mounted.page.locator('.refusal').innerText(), REFUSAL);
    assert.equal(await mounted.page.locator('.content').isVisible(), false);
    assert.deepEqual(mounted.problems, []);
  }

  /** Elements that could act: none may ever be made from a run. */
  async function actors(): Promise<string[]> {
    return mounted.page.evaluate(() => {
      const root = document.querySelector('.progressive-restoration-strip')?.shadowRoot;
      const found = [...(root?.querySelectorAll('*') ?? [])];
      return found
        .filter(
          (target) =>
            [
              'SCRIPT',
              'IFRAME',
              'OBJECT',
              'EMBED',
              'LINK',
              'A',
              'FORM',
              'STYLE',
              'use',
              'image',
              'foreignObject',
            ].includes(target.tagName) ||
            [...target.attributes].some(
              ({ name, value }) =>
                name.startsWith('on') ||
                /^\s*javascript:/i.test(value) ||
                (name === 'src' && !/^data:image\/(png|jpeg|webp);base64,/.test(value)),
            ),
        )
        .map((target) => target.outerHTML.slice(0, 100));
    });
  }

  const texts: Change[] = [
    ['record.prompt.text', SCRIPT],
    ['record.model.id', SCRIPT],
    ['record.model.adapter', SCRIPT],
    ['record.input.file', `${SCRIPT}.png`],
    ['record.reference.file', 'javascript:alert(3)'],
    ['record.warnings', [SCRIPT, 'javascript:alert(4)']],
    ['record.versions', { [SCRIPT]: SCRIPT }],
    ['state', { kind: 'failed', message: SCRIPT }],
  ];
  for (const [path, value] of texts) {
    it(`shows markup in ${path} as text`, async () => {
      await mounted.update(changed([path, value]));
      if (!(await mounted.page.locator('.record').isVisible())) {
        await mounted.page.getByRole('button', { name: 'Record' }).click();
      }
      await settled(mounted.page);
      assert.ok((await mounted.page.locator('.strip').innerText()).includes('alert('));
      assert.deepEqual(await actors(), []);
      assert.deepEqual(mounted.problems, []);
    });
  }

  const svg = `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(5)"/>').toString('base64')}`;
  const refused: [string, () => string][] = [
    ['nothing', () => 'null'],
    ['a list', () => '[]'],
    ['a number', () => '17'],
    ['no record', () => changed(['record', undefined])],
    ['another version', () => changed(['record.schema', 'progressive-restoration/run@2'])],
    ['an SVG as thumbnail', () => changed(['pictures.0.thumbnail', svg])],
    ['an SVG as crop', () => changed(['pictures.0.crop', svg])],
    ['an SVG as reference', () => changed(['reference.thumbnail', svg])],
    ['a script as thumbnail', () => changed(['pictures.0.thumbnail', 'javascript:alert(6)'])],
    ['a picture from the network', () => changed(['pictures.0.thumbnail', 'https://example.org/x.png'])],
    ['a picture of the page', () => changed(['pictures.0.thumbnail', 'blob:http://localhost/1'])],
    [
      'a data URL with something behind it',
      () => changed(['pictures.0.thumbnail', 'data:image/png;base64,AAAA" onerror="alert(7)']),
    ],
    ['an unknown task', () => changed(['record.task', 'constructor'])],
    ['a task named as a prototype', () => changed(['record.task', '__proto__'])],
    ['an unknown stage', () => changed(['state', { kind: 'running', stage: 'toString', done: 1, total: 2 }])],
    ['a frame of no width', () => changed(['record.frames.0.width', 0])],
    ['a text as number', () => changed(['record.frames.0.psnr', '<b>44</b>'])],
    ['a folder outside of the notebook', () => changed(['framesFolder', '..'])],
    ['a path as folder', () => changed(['framesFolder', '../../etc'])],
  ];
  for (const [name, text] of refused) {
    it(`refuses ${name} with one sentence`, () => refuses(text()));
  }

  it('refuses a million frames at once', async () => {
    const seconds = await mounted.page.evaluate(async (part) => {
      const { strip } = window as unknown as { strip: { update(view: unknown): void } };
      const view = JSON.parse(part) as { record: { frames: unknown[] } };
      view.record.frames = Array<unknown>(1_000_000).fill(view.record.frames[0]);
      const start = performance.now();
      strip.update(view);
      return (performance.now() - start) / 1000;
    }, JSON.stringify(sample.view));
    assert.ok(seconds < 1, `${seconds} s`);
    assert.equal(await mounted.page.locator('.refusal').innerText(), REFUSAL);
  });

  it('shows a run again after a refused one', async () => {
    await refuses('null');
    await mounted.update(sample.view);
    assert.equal(await mounted.page.locator('.frame').count(), 3);
    assert.equal(await mounted.page.locator('.refusal').isVisible(), false);
  });

  it('leaves prototypes alone when keys are named after them', async () => {
    const text = changed(['record.versions', {}], ['state', { kind: 'done' }])
      .replace('"versions":{}', '"versions":{"__proto__":"1","constructor":"2","toString":"3"}')
      .replace('"record":{', '"__proto__":{"polluted":1},"record":{"__proto__":{"polluted":1},');
    await mounted.update(text);
    assert.equal(await mounted.page.locator('.frame').count(), 3);
    assert.equal(await mounted.page.evaluate(() => 'polluted' in {}), false);
    assert.deepEqual(mounted.problems, []);
  });

  const files = [
    '../../../etc/passwd',
    '..\\..\\secret.png',
    'https://example.org/x.png',
    `${'a'.repeat(64)}.svg`,
    '__proto__',
    '',
  ];
  for (const file of files) {
    it(`never asks for a frame named "${file}"`, async () => {
      const changes = [0, 1, 2].map((at): Change => [`record.frames.${at}.file`, file]);
      const before = (await mounted.asked()).length;
      await mounted.update(changed(...changes));
      await mounted.page.locator('.frame').nth(2).click();
      await settled(mounted.page);
      assert.equal((await mounted.asked()).length, before);
      assert.match(await mounted.page.locator('.note-line').innerText(), /previews/);
      await mounted.page.keyboard.press('Escape');
      assert.deepEqual(mounted.problems, []);
    });
  }

  const strange: [string, Change[]][] = [
    [
      'a picture that is none',
      [
        ['pictures.1.thumbnail', 'data:image/png;base64,AAAA'],
        ['pictures.1.crop', 'data:image/png;base64,AAAA'],
      ],
    ],
    [
      'numbers at the ends of their range',
      [
        ['record.frames.0.psnr', -1.7e308],
        ['record.frames.1.psnr', 1.7e308],
        ['record.frames.2.ssim', 5e-324],
      ],
    ],
    ['a region outside of the picture', [['record.region', { x: 900_000, y: 900_000, width: 1_000_000, height: 1 }]]],
    [
      'a picture of one by a million pixels',
      [0, 1, 2].flatMap((at): Change[] => [
        [`record.frames.${at}.width`, 1],
        [`record.frames.${at}.height`, 1_000_000],
      ]),
    ],
    [
      'frames of one number',
      [
        ['record.frames.1.index', 1],
        ['record.frames.2.index', 1],
      ],
    ],
    ['pictures without their frames', [['record.frames', []]]],
    ['a best frame that is not there', [['record.best', { psnr: 99, ssim: 99, lpips: 99 }]]],
    [
      'progress beyond its end',
      [['state', { kind: 'running', stage: 'network', done: 9e15, total: -3, secondsLeft: 1e300 }]],
    ],
    ['text that turns the direction', [['record.prompt.text', '\u202e gnp.exe \u0000 \ufffe']]],
    [
      'a very long text',
      [
        ['record.prompt.text', 'word'.repeat(2500)],
        ['record.input.file', 'x'.repeat(4096)],
      ],
    ],
  ];
  for (const [name, changes] of strange) {
    it(`stays whole with ${name}`, async () => {
      await mounted.update(changed(...changes));
      await settled(mounted.page);
      assert.equal(await mounted.page.locator('.content').isVisible(), true);
      const { width, height } = await mounted.page.evaluate(() => ({
        width: document.documentElement.scrollWidth - window.innerWidth,
        height: document.documentElement.scrollHeight,
      }));
      assert.ok(width <= 0, `${width} px too wide`);
      assert.ok(height < 4000, `${height} px high`);
      const broken = await mounted.page.locator('svg [y="NaN"], svg [y1="NaN"], svg [y2="NaN"]').count();
      assert.equal(broken, 0);
      assert.deepEqual(mounted.problems, []);
    });
  }
});
