import assert from 'node:assert/strict';
import sharp from 'sharp';
import { createReference } from '../../src/measure';
import type { RunView } from '../../src/protocol';
import { stripBundle } from './support/bundles';
import { middle, mountStrip, settled } from './support/mounted-strip';
import { runningAfter, sampleRun, type Sample } from './support/run-view';
import { Site } from './support/site';
import type { Theme } from './support/themes';

describe('strip', () => {
  let site: Site;
  let sample: Sample;
  let unreferenced: Sample;

  before(async () => {
    sample = await sampleRun();
    unreferenced = await sampleRun({
      task: 'low-light',
      degraded: 'astronaut-dark.png',
      sharp: 'astronaut.png',
      prompt: '',
      withReference: false,
    });
    site = await Site.open({ 'strip.mjs': await stripBundle() });
  });
  after(() => site.close());

  /** Frames whose numbers are `change`d. */
  const withFrames = (change: (frame: RunView['record']['frames'][number]) => object): RunView => ({
    ...sample.view,
    record: {
      ...sample.view.record,
      frames: sample.view.record.frames.map((frame) => ({ ...frame, ...change(frame) })),
    },
  });

  describe('layout', () => {
    const cases: { name: string; width: number; of: () => Sample; fit?: boolean }[] = [
      ...[300, 480, 700, 1000, 1600].map((width) => ({ name: `${width} px`, width, of: () => sample })),
      { name: '1000 px, whole frames', width: 1000, of: () => sample, fit: true },
      { name: '360 px, no reference', width: 360, of: () => unreferenced },
      { name: '1200 px, no reference', width: 1200, of: () => unreferenced },
    ];
    for (const { name, width, of, fit } of cases) {
      it(`puts every point under the centre of its frame: ${name}`, async () => {
        const { page, problems } = await mountStrip(site, of().view, { width });
        if (fit === true) await page.getByRole('button', { name: 'Fit', exact: true }).first().click();
        const { frames, curves } = await page.evaluate(() => {
          const root = document.querySelector('.progressive-restoration-strip')?.shadowRoot;
          const centre = (target: Element): number => {
            const box = target.getBoundingClientRect();
            return box.left + box.width / 2;
          };
          return {
            frames: [...(root?.querySelectorAll('.frame .window') ?? [])].map(centre),
            curves: [...(root?.querySelectorAll('.plot') ?? [])].map((plot) =>
              [...plot.querySelectorAll('.marker')].map(centre),
            ),
          };
        });
        assert.equal(frames.length, 9);
        assert.equal(curves.length, of() === sample ? 3 : 1);
        for (const points of curves) {
          assert.equal(points.length, 9);
          points.forEach((x, at) => {
            assert.ok(Math.abs(x - (frames[at] ?? NaN)) <= 1, `point ${at + 1} at ${x}, frame at ${frames[at]}`);
          });
        }
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
        assert.deepEqual(problems, []);
      });
    }

    it('shows the region at one picture pixel a page pixel where there is room', async () => {
      const { page } = await mountStrip(site, sample.view, { width: 1600 });
      const image = page.locator('.frame .window img').first();
      const { width, natural, rendering, fit } = await image.evaluate((target: HTMLImageElement) => ({
        width: target.getBoundingClientRect().width,
        natural: target.naturalWidth,
        rendering: getComputedStyle(target).imageRendering,
        fit: getComputedStyle(target).objectFit,
      }));
      assert.deepEqual(
        { width, natural, rendering, fit },
        { width: 128, natural: 128, rendering: 'pixelated', fit: 'none' },
      );
    });

    it('never overlaps the numbers of a curve, also at 300 px', async () => {
      const { page } = await mountStrip(site, sample.view, { width: 300 });
      const boxes = await page.locator('.curve.psnr .value').evaluateAll((texts) =>
        texts.map((text) => {
          const { left, right } = text.getBoundingClientRect();
          return { left, right };
        }),
      );
      boxes
        .slice(1)
        .forEach((box, at) =>
          assert.ok(box.left >= (boxes[at]?.right ?? NaN) - 0.5, `numbers ${at + 1} and ${at + 2}`),
        );
    });

    it('scrolls a long run inside itself and keeps its points under their frames', async () => {
      const { record, pictures } = sample.view;
      const repeated = <T>(list: T[]): T[] =>
        Array.from({ length: 33 }, (_, at) => ({ ...(list[at % 9] as T), index: at + 1 }));
      const long = {
        ...sample.view,
        record: { ...record, frames: repeated(record.frames) },
        pictures: repeated(pictures),
      };
      const { page } = await mountStrip(site, long, { width: 600 });
      const scroller = page.locator('.scroller');
      const { inner, outer } = await scroller.evaluate((target) => ({
        inner: target.scrollWidth,
        outer: target.clientWidth,
      }));
      assert.ok(inner > outer);
      const frame = await middle(page.locator('.frame .window').nth(20));
      const point = await middle(page.locator('.curve.ssim .marker').nth(20));
      assert.ok(Math.abs(frame.x - point.x) <= 1);
    });
  });

  describe('content', () => {
    it('names task, prompt, model, device, seconds, input, reference and protocol', async () => {
      const { page } = await mountStrip(site, sample.view);
      const title = await page.locator('.title').innerText();
      for (const part of ['deblurring', sample.view.record.prompt.text, 'compact · cpu · 0.9 s']) {
        assert.ok(title.includes(part), `${part} in ${title}`);
      }
      const facts = await page.locator('.facts').innerText();
      for (const part of ['cat-blurred.png', '420×272', 'cat.png', 'rgb', 'last frame']) {
        assert.ok(facts.includes(part), `${part} in ${facts}`);
      }
    });

    it('says of a diffusion model how it went, and the ceiling that its autoencoder sets', async () => {
      const diffusion = {
        scheduler: 'ddim',
        steps: 50,
        frames: 9,
        guidance: { kind: 'fixed', scale: 6 },
        seed: 7,
        embedding: 'cached',
        canvas: { width: 720, height: 480, fit: 'pad' },
        roundTripPsnr: 38.25,
        secondsPerStep: 1,
        tiled: false,
        sequential: false,
      } as const;
      const { record } = sample.view;
      const { page } = await mountStrip(site, { ...sample.view, record: { ...record, diffusion } });
      const facts = await page.locator('.facts').innerText();
      assert.match(facts, /50 steps of DDIM · fixed guidance 6 · seed 7/);
      assert.match(facts, /the autoencoder alone: 38\.25 dB/);
    });

    it('writes the number of the record at every point and marks last and best', async () => {
      const best = { psnr: 7, ssim: 9, lpips: 9 };
      const view = { ...sample.view, record: { ...sample.view.record, best } };
      const { page } = await mountStrip(site, view);
      const psnr = await page.locator('.curve.psnr .value').allTextContents();
      assert.deepEqual(
        psnr,
        view.record.frames.map((frame) => Number(frame.psnr).toFixed(2)),
      );
      assert.equal(await page.locator('.curve.psnr .point.best').getAttribute('data-at'), '6');
      assert.equal(await page.locator('.curve.psnr .note').textContent(), 'best');
      assert.equal(await page.locator('.curve.psnr .point.last').getAttribute('data-at'), '8');
      assert.equal(await page.locator('.curve.ssim .note').count(), 0);
      await site.screenshot(page, 'best-is-not-last');
    });

    it('tells the gain over the first frame in tooltip and name of a point', async () => {
      const { page } = await mountStrip(site, sample.view);
      const [first, fifth] = [sample.view.record.frames[0], sample.view.record.frames[4]];
      const gain = (Number(fifth?.psnr) - Number(first?.psnr)).toFixed(2);
      const point = page.locator('.curve.psnr .point').nth(4);
      const expected = `frame 5: PSNR ${Number(fifth?.psnr).toFixed(2)} dB, +${gain} dB over frame 1`;
      assert.equal(await point.getAttribute('aria-label'), expected);
      assert.equal(await point.locator('title').textContent(), expected);
    });

    it('draws each curve with a dash and a marker of its own', async () => {
      const { page } = await mountStrip(site, sample.view);
      const looks = await Promise.all(
        ['psnr', 'ssim', 'lpips'].map(async (key) => {
          const dash = await page
            .locator(`.curve.${key} .line`)
            .first()
            .evaluate((line) => getComputedStyle(line).strokeDasharray);
          const shape = await page
            .locator(`.curve.${key} .marker`)
            .first()
            .evaluate((marker) => marker.tagName);
          return { dash, shape };
        }),
      );
      assert.equal(new Set(looks.map(({ dash }) => dash)).size, 3);
      assert.equal(new Set(looks.map(({ shape }) => shape)).size, 3);
    });

    it('gives every picture an alternative text with its numbers', async () => {
      const { page } = await mountStrip(site, sample.view);
      const texts = await page
        .locator('.frame img')
        .evaluateAll((images) => images.map((image) => image.getAttribute('alt') ?? ''));
      assert.equal(texts.length, 9);
      texts.forEach((text, at) => {
        const frame = sample.view.record.frames[at];
        assert.ok(text.includes(`PSNR ${Number(frame?.psnr).toFixed(2)} dB`), text);
        assert.ok(text.includes(`LPIPS ${(frame?.lpips ?? NaN).toFixed(3)}`), text);
      });
    });

    it('keeps the numbers as a table for screen readers and shows it on demand', async () => {
      const { page } = await mountStrip(site, sample.view);
      const table = page.getByRole('table');
      assert.equal(await table.getByRole('row').count(), 10);
      const box = await page.locator('.numbers').boundingBox();
      assert.ok(box !== null && box.width <= 1 && box.height <= 1);
      await page.getByRole('button', { name: 'Table' }).click();
      const cells = await table.getByRole('row').nth(9).getByRole('cell').allInnerTexts();
      const last = sample.view.record.frames[8];
      assert.ok(
        cells.includes(Number(last?.psnr).toFixed(2)) && cells.includes(last?.ssim?.toFixed(3) ?? ''),
        cells.join(' '),
      );
      const shown = await page.locator('.numbers').boundingBox();
      assert.ok(shown !== null && shown.height > 200);
    });

    it('folds out the whole record', async () => {
      const { page } = await mountStrip(site, sample.view);
      const record = page.locator('.record');
      assert.equal(await record.isVisible(), false);
      await page.getByRole('button', { name: 'Record' }).click();
      assert.deepEqual(JSON.parse(await record.innerText()), JSON.parse(JSON.stringify(sample.view.record)));
    });

    it('copies the numbers with tabs and saves the last frame', async () => {
      const { page, copied, saved } = await mountStrip(site, sample.view);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByRole('menuitem', { name: 'Table', exact: true }).click();
      const [text = ''] = await copied();
      assert.equal(text.split('\n').length, 10);
      assert.equal(text.split('\n')[1]?.split('\t')[2], Number(sample.view.record.frames[0]?.psnr).toFixed(2));
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('menuitem', { name: 'Frame 9…' }).click();
      assert.deepEqual(await saved(), [9]);
    });

    it('measures the region in the embedded crops and switches the curves to it', async () => {
      const { page } = await mountStrip(site, sample.view);
      const pixels = async (dataUrl: string): Promise<{ data: Uint8Array; width: number; height: number }> => {
        const bytes = Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64');
        const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
        return { data: new Uint8Array(data), width: info.width, height: info.height };
      };
      const reference = createReference(await pixels(sample.view.reference?.crop ?? ''), { protocol: 'rgb', scale: 1 });
      const expected = await Promise.all(
        sample.view.pictures.map(async ({ crop = '' }) => reference.measure(await pixels(crop))),
      );
      await page.getByRole('button', { name: 'region', exact: true }).click();
      assert.deepEqual(
        await page.locator('.curve.psnr .value').allTextContents(),
        expected.map(({ psnr }) => psnr.toFixed(2)),
      );
      assert.deepEqual(
        await page.locator('.curve.ssim .value').allTextContents(),
        expected.map(({ ssim }) => ssim.toFixed(3)),
      );
      const gain = (expected[8]?.psnr ?? NaN) - (expected[0]?.psnr ?? NaN);
      assert.ok((await page.locator('.facts').innerText()).includes(`+${gain.toFixed(2)} dB`));
    });

    it('says that no reference was given, shows the change and invents no quality', async () => {
      const { page } = await mountStrip(site, unreferenced.view);
      const text = await page.locator('.strip').innerText();
      assert.ok(text.includes('No reference was given'), text);
      assert.ok(!/PSNR|SSIM|LPIPS/.test(text), text);
      assert.deepEqual(
        await page.locator('.curve.change .value').allTextContents(),
        unreferenced.view.record.frames.map((frame) => (frame.change ?? NaN).toFixed(2)),
      );
    });

    it('shows identical pictures as infinity, at the top of the plot', async () => {
      const view = withFrames((frame) => (frame.index === 9 ? { psnr: 'Infinity' } : {}));
      const { page } = await mountStrip(site, view);
      assert.equal(await page.locator('.curve.psnr .value').nth(8).textContent(), '∞');
      const [before, last] = await Promise.all([7, 8].map((at) => middle(page.locator('.curve.psnr .marker').nth(at))));
      assert.ok((last?.y ?? NaN) < (before?.y ?? NaN));
    });

    it('lists warnings', async () => {
      const warnings = ['CUDA is not there: the processor was used.'];
      const { page } = await mountStrip(site, { ...sample.view, record: { ...sample.view.record, warnings } });
      assert.deepEqual(await page.locator('.warnings li').allInnerTexts(), warnings);
    });

    it('shows a frame under the pointer in overview and facts', async () => {
      const { page } = await mountStrip(site, sample.view);
      await page.locator('.frame').nth(3).hover();
      assert.match(await page.locator('.facts').innerText(), /frame 4/);
      assert.match((await page.locator('.overview img').getAttribute('alt')) ?? '', /, 4$/);
      assert.equal(await page.locator('.point.current').count(), 3);
      await page.mouse.move(2, 2);
      assert.match(await page.locator('.facts').innerText(), /last frame/);
    });
  });

  describe('comparison', () => {
    it('is opened with the keyboard, walked with the arrows at the same spot, and closed with Escape', async () => {
      const { page, problems } = await mountStrip(site, sample.view, { files: sample.files });
      await page.locator('.frame').nth(8).focus();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('Enter');
      assert.equal(await page.locator('.name.right').innerText(), '7');
      await page.keyboard.press('+');
      await page.keyboard.press('+');
      await page.keyboard.press('Shift+ArrowRight');
      await settled(page);
      const spot = (): Promise<string[]> =>
        page
          .locator('.layer img')
          .evaluateAll((images) =>
            images.map((image) => `${(image as HTMLElement).style.transform} ${(image as HTMLElement).style.width}`),
          );
      const before = await spot();
      assert.equal(before[0], before[1]);
      await page.keyboard.press('ArrowRight');
      await settled(page);
      assert.equal(await page.locator('.name.right').innerText(), '8');
      assert.deepEqual(await spot(), before);
      await page.keyboard.press('Home');
      assert.equal(await page.locator('.name.right').innerText(), '1 input');
      await page.keyboard.press('End');
      assert.equal(await page.locator('.name.right').innerText(), '9 restored');
      await page.keyboard.press('Escape');
      assert.equal(await page.locator('.compare').count(), 0);
      const focused = await page.evaluate(
        () =>
          document
            .querySelector('.progressive-restoration-strip')
            ?.shadowRoot?.activeElement?.getAttribute('aria-label') ?? '',
      );
      assert.match(focused, /^9 restored/);
      assert.deepEqual(problems, []);
    });

    it('shows the input left of the line and the chosen frame right of it, pixel for pixel', async () => {
      const { page } = await mountStrip(site, sample.view, { files: sample.files, width: 700 });
      await page.locator('.frame').nth(8).click();
      await page.locator('.compare').getByRole('button', { name: '100 %' }).click();
      await settled(page);
      const [stage, image, divider] = await Promise.all(
        ['.stage', '.layer.left img', '.divider'].map((selector) => page.locator(selector).boundingBox()),
      );
      assert.ok(stage && image && divider);
      assert.equal(image.width, 420);
      const shot = await sharp(await page.screenshot({ clip: image }))
        .removeAlpha()
        .raw()
        .toBuffer();
      const source = (index: number): Promise<Buffer> => {
        const dataUrl = sample.files.get(sample.view.record.frames[index]?.file ?? '') ?? '';
        return sharp(Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64'))
          .removeAlpha()
          .raw()
          .toBuffer();
      };
      const [input, restored] = await Promise.all([source(0), source(8)]);
      const line = divider.x + divider.width / 2 - image.x;
      const row = 40;
      for (const [from, to, expected] of [
        [4, line - 16, input],
        [line + 16, 416, restored],
      ] as const) {
        for (let x = Math.ceil(from); x < to; x++) {
          const at = (row * 420 + x) * 3;
          for (const channel of [0, 1, 2]) {
            const difference = Math.abs((shot[at + channel] ?? 0) - (expected[at + channel] ?? 0));
            assert.ok(difference <= 1, `pixel ${x}, channel ${channel}: ${difference}`);
          }
        }
      }
    });

    it('moves its line with the keyboard and with the pointer', async () => {
      const { page } = await mountStrip(site, sample.view, { files: sample.files });
      await page.locator('.frame').nth(8).click();
      const slider = page.getByRole('slider');
      await slider.focus();
      await page.keyboard.press('ArrowRight');
      assert.equal(await slider.getAttribute('aria-valuenow'), '52');
      assert.equal(await slider.getAttribute('aria-valuetext'), '52 % 1 input, 48 % 9 restored');
      await page.keyboard.press('End');
      assert.equal(await slider.getAttribute('aria-valuenow'), '100');
      await page.keyboard.press('Home');
      assert.equal(await slider.getAttribute('aria-valuenow'), '0');
      const stage = await page.locator('.stage').boundingBox();
      assert.ok(stage);
      const from = await middle(slider);
      await page.mouse.move(from.x + 4, from.y);
      await page.mouse.down();
      await page.mouse.move(stage.x + stage.width * 0.25, from.y, { steps: 4 });
      await page.mouse.up();
      assert.equal(await slider.getAttribute('aria-valuenow'), '25');
      const clip = await page.locator('.layer.right').evaluate((layer) => (layer as HTMLElement).style.clipPath);
      assert.match(clip, /25(\.\d+)?%/);
    });

    it('zooms with the wheel only while it has the focus, keeps pixels sharp and moves both pictures', async () => {
      const { page } = await mountStrip(site, sample.view, { files: sample.files, height: 1400 });
      await page.locator('.frame').nth(8).click();
      await settled(page);
      const zoom = (): Promise<string> => page.locator('.zoom-text').innerText();
      assert.equal(await zoom(), '200 %');
      const stage = await middle(page.locator('.stage'));
      await page.mouse.move(stage.x, stage.y);
      await page.mouse.wheel(0, -100);
      await page.locator('.zoom-text', { hasText: '300 %' }).waitFor();
      await page.mouse.wheel(0, -100);
      await page.locator('.zoom-text', { hasText: '400 %' }).waitFor();
      const rendering = await page
        .locator('.layer img')
        .first()
        .evaluate((image) => getComputedStyle(image).imageRendering);
      assert.equal(rendering, 'pixelated');
      const places = (): Promise<string[]> =>
        page
          .locator('.layer img')
          .evaluateAll((images) => images.map((image) => (image as HTMLElement).style.transform));
      const before = await places();
      await page.mouse.move(stage.x + 100, stage.y);
      await page.mouse.down();
      await page.mouse.move(stage.x + 160, stage.y + 30, { steps: 3 });
      await page.mouse.up();
      const after = await places();
      assert.notDeepEqual(after, before);
      assert.equal(after[0], after[1]);
      await page.getByRole('button', { name: 'Table' }).focus();
      await page.mouse.wheel(0, -100);
      await page.waitForTimeout(100);
      assert.equal(await zoom(), '400 %');
    });

    it('compares any two frames, also with the reference', async () => {
      const { page } = await mountStrip(site, sample.view, { files: sample.files });
      await page.locator('.frame').nth(4).click();
      await page.getByLabel('Frame on the left').selectOption({ label: '9 restored' });
      await page.getByLabel('Frame on the right').selectOption({ label: 'reference' });
      await settled(page);
      assert.equal(await page.locator('.name.left').innerText(), '9 restored');
      assert.equal(await page.locator('.name.right').innerText(), 'reference');
      const source = await page.locator('.layer.right img').getAttribute('src');
      assert.equal(source, sample.files.get(sample.view.reference?.file ?? ''));
    });

    it('keeps the keys it uses from the editor around it, and leaves it all others', async () => {
      const { page } = await mountStrip(site, sample.view, { files: sample.files });
      await page.evaluate(() => {
        const reached: string[] = [];
        Object.assign(window, { reached });
        window.addEventListener('keydown', (event) => reached.push(`${event.ctrlKey ? 'Control+' : ''}${event.key}`));
      });
      await page.locator('.frame').nth(8).focus();
      for (const key of ['ArrowLeft', 'ArrowRight', 'Enter', 'ArrowLeft', '+', '0', 'Shift+ArrowUp', 'Control+s']) {
        await page.keyboard.press(key);
      }
      await page.getByRole('slider').focus();
      await page.keyboard.press('ArrowLeft');
      await page.getByLabel('Frame on the left').focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Table' }).focus();
      await page.keyboard.press('Enter');
      await page.keyboard.press('F1');
      const reached = await page.evaluate(() => (window as unknown as { reached: string[] }).reached);
      // Modifiers alone mean nothing to the editor.
      assert.deepEqual(
        reached.filter((key) => !/(Shift|Control)$/.test(key)),
        ['Control+s', 'F1'],
      );
      assert.equal(await page.locator('.numbers.hidden-visually').count(), 0);
    });

    it('asks for each full frame once', async () => {
      const { page, asked } = await mountStrip(site, sample.view, { files: sample.files });
      await page.locator('.frame').nth(8).click();
      for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowLeft']) {
        await page.keyboard.press(key);
        await settled(page);
      }
      const files = [0, 8, 7].map((at) => sample.view.record.frames[at]?.file);
      assert.deepEqual((await asked()).sort(), files.sort());
    });

    for (const [name, files] of [
      ['when they are gone', new Map<string, string>()],
      ['where none can be loaded', undefined],
    ] as const) {
      it(`falls back to the previews and says so: ${name}`, async () => {
        const { page, problems } = await mountStrip(site, sample.view, { files });
        await page.locator('.frame').nth(8).click();
        await settled(page);
        assert.equal(
          await page.locator('.note-line').innerText(),
          'The full frames are not there: these are small previews.',
        );
        assert.equal(await page.locator('.layer.right img').getAttribute('src'), sample.view.pictures[8]?.thumbnail);
        assert.deepEqual(problems, []);
      });
    }
  });

  describe('a run that is working', () => {
    it('shows progress and keeps places, then becomes the finished strip in place', async () => {
      const { page, update, problems } = await mountStrip(site, runningAfter(sample, 3), { files: sample.files });
      const bar = page.getByRole('progressbar');
      assert.equal(await bar.getAttribute('aria-valuetext'), 'restoring · 33 % · 4 s left');
      assert.equal(await page.locator('.frame').count(), 9);
      assert.equal(await page.locator('.frame .window.empty').count(), 6);
      assert.equal(await page.locator('.point.last').count(), 0);
      const place = await page.locator('.frame').nth(2).boundingBox();
      await page.locator('.frame').nth(2).click();
      await page
        .locator('.frame')
        .nth(2)
        .evaluate((frame) => frame.setAttribute('data-mark', 'kept'));
      await update(runningAfter(sample, 6));
      assert.equal(await page.locator('.frame .window.empty').count(), 3);
      await update(sample.view);
      await settled(page);
      assert.equal(await bar.isVisible(), false);
      assert.equal(await page.locator('.frame').nth(2).getAttribute('data-mark'), 'kept');
      assert.equal((await page.locator('.frame').nth(2).boundingBox())?.x, place?.x);
      assert.equal(await page.locator('.name.right').innerText(), '3');
      assert.equal(await page.locator('.curve.psnr .point').count(), 9);
      assert.deepEqual(problems, []);
    });

    it('does not open a frame that is not there', async () => {
      const { page } = await mountStrip(site, runningAfter(sample, 3));
      await page.locator('.frame').nth(6).click({ force: true });
      assert.equal(await page.locator('.compare').count(), 0);
    });

    for (const [state, sentence] of [
      [{ kind: 'interrupted' }, 'The run was interrupted. 3 frames are kept.'],
      [
        { kind: 'failed', message: 'The model is gone. Install it again.' },
        'The run failed: The model is gone. Install it again.',
      ],
    ] as const) {
      it(`says in a sentence that it was ${state.kind}`, async () => {
        const { page } = await mountStrip(site, { ...runningAfter(sample, 3), state });
        assert.equal(await page.locator('.sentence').innerText(), sentence);
        assert.equal(await page.locator('.frame').count(), 3);
        assert.equal(await page.getByRole('progressbar').isVisible(), false);
      });
    }

    it('shows a run without any frame', async () => {
      const { page, problems } = await mountStrip(site, runningAfter(sample, 0));
      assert.equal(await page.locator('.frame .window.empty').count(), 9);
      assert.equal(await page.locator('.curve').count(), 0);
      assert.deepEqual(problems, []);
    });
  });

  describe('looks', () => {
    const themes: { theme: Theme; width: number }[] = [
      { theme: 'dark', width: 1000 },
      { theme: 'dark', width: 300 },
      { theme: 'light', width: 1600 },
      { theme: 'light', width: 480 },
      { theme: 'high-contrast', width: 700 },
      { theme: 'none-light', width: 900 },
      { theme: 'none-dark', width: 900 },
    ];
    for (const { theme, width } of themes) {
      it(`is readable: ${theme}, ${width} px`, async () => {
        const { page } = await mountStrip(site, sample.view, { theme, width, files: sample.files });
        const contrasts = await page.evaluate(() => {
          const root = document.querySelector('.progressive-restoration-strip')?.shadowRoot;
          // The browser resolves every notation of a colour by painting it.
          const paint = document.createElement('canvas').getContext('2d');
          if (!root || !paint) throw new Error('Expected a strip.');
          const luminance = (colour: string): number => {
            paint.fillStyle = colour;
            paint.fillRect(0, 0, 1, 1);
            const [r = 0, g = 0, b = 0] = [...paint.getImageData(0, 0, 1, 1).data].map((level) => {
              const value = level / 255;
              return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const background = luminance(getComputedStyle(document.body).backgroundColor);
          const contrast = (colour: string): number => {
            const own = luminance(colour);
            return (Math.max(own, background) + 0.05) / (Math.min(own, background) + 0.05);
          };
          return [
            ...[...root.querySelectorAll('.value')].map((text) => contrast(getComputedStyle(text).fill)),
            ...[...root.querySelectorAll('.muted, .caption, .facts dt, .curve-name, .task, .quiet:not(:disabled)')].map(
              (text) => contrast(getComputedStyle(text).color),
            ),
          ];
        });
        assert.ok(contrasts.length > 40);
        assert.ok(Math.min(...contrasts) >= 4.5, `least contrast ${Math.min(...contrasts).toFixed(2)}`);
        await site.screenshot(page, `strip-${theme}-${width}`);
      });
    }

    it('draws visible borders in high contrast', async () => {
      const { page } = await mountStrip(site, sample.view, { theme: 'high-contrast' });
      const border = await page
        .locator('.switch')
        .first()
        .evaluate((target) => getComputedStyle(target).borderTopColor);
      assert.equal(border, 'rgb(111, 195, 223)');
    });

    it('shows where the focus is', async () => {
      const { page } = await mountStrip(site, sample.view);
      await page.keyboard.press('Tab');
      const seen = new Set<string>();
      for (let step = 0; step < 20; step++) {
        const focus = await page.evaluate(() => {
          const active = document.querySelector('.progressive-restoration-strip')?.shadowRoot?.activeElement;
          if (!active) return undefined;
          const outlined = [active, ...active.querySelectorAll('.window')].some((target) => {
            const style = getComputedStyle(target);
            return style.outlineStyle === 'solid' && style.outlineColor !== 'rgba(0, 0, 0, 0)';
          });
          return { name: active.textContent ?? '', outlined };
        });
        if (focus === undefined) break;
        assert.ok(focus.outlined, `no outline around "${focus.name}"`);
        seen.add(focus.name);
        await page.keyboard.press('Tab');
      }
      assert.ok(seen.has('Detail 1:1') && seen.has('9 restored'), [...seen].join(', '));
    });

    it('keeps still for those who asked for less motion', async () => {
      const { page } = await mountStrip(site, runningAfter(sample, 2), { reducedMotion: true });
      const duration = await page.locator('.progress-fill').evaluate((bar) => getComputedStyle(bar).transitionDuration);
      assert.equal(duration, '0s');
    });

    it('takes pictures of the other states', async () => {
      const open = await mountStrip(site, sample.view, { files: sample.files });
      await open.page.locator('.frame').nth(8).click();
      await settled(open.page);
      await site.screenshot(open.page, 'strip-dark-1000-open');
      assert.deepEqual(open.problems, []);
      const running = await mountStrip(site, runningAfter(sample, 4), { theme: 'light', width: 900 });
      await site.screenshot(running.page, 'strip-light-900-running');
      assert.deepEqual(running.problems, []);
      const bare = await mountStrip(site, unreferenced.view, { theme: 'dark', width: 900 });
      await site.screenshot(bare.page, 'strip-dark-900-no-reference');
      assert.deepEqual(bare.problems, []);
    });
  });
});
