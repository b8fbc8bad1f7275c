/**
 * Makes the pictures of the README, the marketplace page and the walkthrough afresh, in a real VS Code with the packed extension:
 * `npm run screenshots [-- notebook|panel|settings|clip ...]`. Everything that they show has been computed in that window. Takes some minutes; look at what it made.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import sharp from 'sharp';
import { removeInstallation, startEditor, type Editor } from '../harness/editor';
import { projectRoot } from '../harness/installation';
import { typescriptNotebook } from '../harness/notebook-file';
import { NotebookView } from '../harness/notebook-view';
import { PanelView } from '../harness/panel-view';
import { Clip } from './clip';

const media = path.join(projectRoot, 'media');
const walkthrough = path.join(media, 'walkthrough');

/** The window in CSS pixels, at two pixels of the screen each. */
const WINDOW = { width: 1240, height: 1000, scale: 2 };
const CLIP_WINDOW = { width: 1120, height: 800 };
const PANEL_HEIGHT = 1180;
/** Widths of the pictures as they are kept. */
const PAGE_WIDTH = 1600;
const STEP_WIDTH = 1100;
const CLIP_WIDTH = 900;
/** Bytes that the clip and all of `media/` may have. */
const CLIP_BYTES = 500_000;
const MEDIA_BYTES = 1_300_000;
/** Longest time of one restoration on a busy machine, in milliseconds. */
const RUN = 240_000;

const THEMES = [
  { name: 'Light Modern', suffix: 'light' },
  { name: 'Dark Modern', suffix: 'dark' },
] as const;

const CELL = `import { restore } from 'progressive-restoration';

const run = await restore('portrait.png', {
  task: 'low-light',
  prompt: 'a portrait of an astronaut',
  reference: 'portrait-well-lit.png',
});
run`;

interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The picture of the window, or of an area of it, as WebP of at most `width` pixels. */
async function shoot({ workbench }: Editor, file: string, width: number, clip?: Area): Promise<void> {
  const png = await workbench.page.screenshot({ ...(clip && { clip }), animations: 'disabled', caret: 'hide' });
  await sharp(png).resize({ width, withoutEnlargement: true }).webp({ quality: 80, effort: 6 }).toFile(file);
}

/** The area of an element, with some room around it. */
async function areaOf(element: Locator, room = 0): Promise<Area> {
  const box = await element.boundingBox();
  if (box === null) throw new Error('Expected something visible to take a picture of.');
  return { x: box.x - room, y: box.y - room, width: box.width + 2 * room, height: box.height + 2 * room };
}

/** The part of the window with the editors. */
function editorArea({ workbench }: Editor): Promise<Area> {
  return areaOf(workbench.page.locator('.part.editor').first());
}

/** Nothing that merely happens to be there is in a picture: no toast, no hover, no pointer over a button. */
async function tidy({ workbench }: Editor): Promise<void> {
  await workbench.command('Notifications: Clear All Notifications');
  await workbench.page.mouse.move(WINDOW.width / 2, 4);
  await workbench.toasts().first().waitFor({ state: 'detached' });
  await workbench.page.waitForTimeout(1_000);
}

/** Puts the region of the strip in `output` so far from where it is, in steps of eight pixels. */
async function moveRegion(output: Frame, right: number, down: number): Promise<void> {
  const box = output.locator('.region-box').filter({ visible: true }).first();
  const press = async (key: string, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await box.press(key);
  };
  await press(right < 0 ? 'ArrowLeft' : 'ArrowRight', Math.abs(right));
  await press(down < 0 ? 'ArrowUp' : 'ArrowDown', Math.abs(down));
  await output.page().waitForTimeout(1_500);
}

async function runNotebook(editor: Editor): Promise<void> {
  const { workbench } = editor;
  const notebook = new NotebookView(workbench);
  await workbench.openFile('low-light.ipynb');
  await notebook.waitUntilShown();
  await notebook.runAll();
  await notebook.waitForSuccess(1, RUN);
  await notebook.save();
  const output = await notebook.output('.frames .frame img[src]');
  await moveRegion(output, 11, -14);
  await notebook.save();
}

/** The notebook, its strip alone, and completion in a cell. */
async function notebookPictures(editor: Editor, suffix: string): Promise<void> {
  const { workbench } = editor;
  const { page } = workbench;
  const notebook = new NotebookView(workbench);
  await workbench.openFile('low-light.ipynb');
  const output = await notebook.output('.frames .frame img[src]');
  await tidy(editor);
  if (suffix === 'light') await shoot(editor, path.join(media, 'notebook.webp'), PAGE_WIDTH);
  await shoot(editor, path.join(walkthrough, `notebook-${suffix}.webp`), STEP_WIDTH, await editorArea(editor));
  const strip = await areaOf(output.locator('.strip').first(), 6);
  await shoot(editor, path.join(walkthrough, `strip-${suffix}.webp`), STEP_WIDTH, strip);

  await workbench.openFile('cells.ipynb');
  const second = notebook.cells().nth(1);
  await second.locator('.view-lines').click({ position: { x: 4, y: 4 } });
  await page.keyboard.press('Control+Home');
  for (let i = 0; i < 'run.'.length; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget .monaco-list-row').filter({ hasText: 'metrics' }).first().waitFor();
  await page.waitForTimeout(1_500);
  const area = await editorArea(editor);
  await shoot(editor, path.join(walkthrough, `cell-${suffix}.webp`), STEP_WIDTH, { ...area, height: 600 });
  await page.keyboard.press('Escape');
}

async function openPanel(editor: Editor): Promise<void> {
  const { workbench } = editor;
  await workbench.contextMenu('coffee.png', 'Restore Image...');
  await workbench.pick('Super-Resolution');
  const document = await new PanelView(workbench).waitUntilDone(RUN);
  await document.locator('.frames .frame img[src]').first().waitFor();
}

async function panelPictures(editor: Editor, suffix: string): Promise<void> {
  const { workbench } = editor;
  await workbench.page.setViewportSize({ width: WINDOW.width, height: PANEL_HEIGHT });
  await workbench.tab(/coffee\.png/).click();
  const document = await new PanelView(workbench).document();
  await document.locator('.frames .frame img[src]').first().waitFor();
  await tidy(editor);
  await workbench.page.waitForTimeout(2_000);
  if (suffix === 'light') await shoot(editor, path.join(media, 'panel.webp'), PAGE_WIDTH);
  await shoot(editor, path.join(walkthrough, `panel-${suffix}.webp`), STEP_WIDTH, await editorArea(editor));
  await workbench.page.setViewportSize({ width: WINDOW.width, height: WINDOW.height });
}

async function settingsPictures(editor: Editor, suffix: string): Promise<void> {
  const { workbench } = editor;
  await workbench.command('Preferences: Open Settings (UI)');
  const { page } = workbench;
  // In a server's window, what belongs to the machine has a tab of its own.
  await page
    .locator('.settings-editor')
    .getByText(/^Remote/)
    .first()
    .click();
  await page.locator('.settings-editor .suggest-input-container').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('@ext:progressive-restoration.progressive-restoration');
  await page
    .locator('.settings-editor')
    .getByText(/Device on which networks run/)
    .first()
    .waitFor();
  await page.waitForTimeout(1_500);
  const list = page.locator('.settings-editor .settings-tree-container');
  const first = list.locator('.setting-item-contents').filter({ hasText: 'Device on which networks run' }).first();
  // The editor remembers how far its list was scrolled, and says so late: the first setting has to stand at the top.
  await workbench.eventually(async () => {
    await list.hover();
    await page.mouse.wheel(0, -10_000);
    await page.waitForTimeout(1_000);
    const top = (await areaOf(list)).y;
    // A row that is scrolled away does not exist.
    const row = await first.boundingBox({ timeout: 2_000 });
    if (row === null || row.y < top || row.y > top + 60) throw new Error('The settings do not begin with the device.');
  });
  // No row is lit by the pointer.
  await page.mouse.move(WINDOW.width / 2, 4);
  await page.waitForTimeout(500);
  const area = await areaOf(list);
  await shoot(editor, path.join(walkthrough, `devices-${suffix}.webp`), STEP_WIDTH, { ...area, height: 480 });
  await workbench.command('View: Close Editor');
}

/** A click on the last frame of the strip; the line between the two pictures, then both side by side, close up and moved together. */
async function largeView(film: Clip, document: Frame): Promise<void> {
  const scrollTo = async (target: Locator): Promise<void> => {
    await target.evaluate((node) => node.scrollIntoView({ block: 'end' }));
    await document.page().waitForTimeout(300);
  };
  const frame = document.locator('.frames .frame').last();
  await scrollTo(document.locator('.timeline').last());
  await film.shoot(500);
  await film.moveTo(frame);
  await frame.click();
  const view = document.locator('.compare');
  const stage = view.locator('.stage');
  await stage.waitFor();
  await scrollTo(view);
  await document.locator('.compare:not([aria-busy])').waitFor();
  await film.shoot(700);
  const handle = view.locator('.divider');
  for (const percent of [35, 20, 35, 50, 65, 80, 65, 50]) {
    await film.dragTo(handle, stage, { x: percent / 100, y: 0.5 });
    await film.shoot(140);
  }
  const sides = view.getByRole('button', { name: 'Side by side' });
  await film.moveTo(sides);
  await sides.click();
  await film.shoot(600);
  const closer = view.getByRole('button', { name: 'Zoom in' });
  await film.moveTo(closer);
  for (let i = 0; i < 3; i++) {
    await closer.click();
    await film.shoot(350);
  }
  await film.moveTo(stage, { x: 0.3, y: 0.6 });
  for (let i = 0; i < 5; i++) {
    await film.dragBy(i < 3 ? 16 : -6, 34);
    await film.shoot(140);
  }
  await film.shoot(1_200);
}

/** From the right click to the large view. */
async function clip(editor: Editor): Promise<void> {
  const { workbench } = editor;
  const { page } = workbench;
  await workbench.command('View: Close All Editors');
  await page.setViewportSize(CLIP_WINDOW);
  await tidy(editor);
  const film = new Clip(page);
  await film.begin(420, 420);
  await film.shoot(700);
  const item = workbench.treeItem('portrait.png');
  await film.moveTo(item, { x: 0.3, y: 0.5 });
  await item.click({ button: 'right', position: { x: 60, y: 10 } });
  const entry = page.getByRole('menuitem', { name: 'Restore Image...' });
  await entry.waitFor();
  await entry.hover();
  await film.moveTo(entry, { x: 0.3, y: 0.5 });
  await film.shoot(700);
  await workbench.eventually(async () => {
    if (await entry.isVisible()) await entry.click();
    await entry.waitFor({ state: 'hidden', timeout: 2_000 });
  });
  const choice = workbench.quickRow(/detected/).first();
  await choice.waitFor();
  await film.moveTo(choice, { x: 0.3, y: 0.5 });
  await film.shoot(900);
  await choice.click();
  const panel = new PanelView(workbench);
  let isDone = false;
  const done = panel.waitUntilDone(RUN).finally(() => (isDone = true));
  while (!isDone) {
    await film.shoot(250);
    await page.waitForTimeout(250);
  }
  const document = await done;
  await workbench.toasts().first().waitFor({ state: 'detached' });
  await film.shoot(1_000);
  const dial = document.locator('.dial input');
  await film.moveTo(dial, { x: 0.98, y: 0.5 });
  for (const percent of [80, 60, 40, 20, 0, 15, 30, 45, 60, 75, 90, 100]) {
    await dial.fill(String(percent));
    await film.put(dial, { x: 0.02 + (0.96 * percent) / 100, y: 0.5 });
    await film.shoot(140);
  }
  await film.shoot(900);
  await largeView(film, document);
  await film.end();
  await film.save(path.join(media, 'restore.webp'), CLIP_WIDTH);
}

async function checkSizes(): Promise<void> {
  let total = 0;
  for (const name of (await readdir(media, { recursive: true })).sort()) {
    const { size, isFile } = await stat(path.join(media, name)).then((found) => ({
      size: found.size,
      isFile: found.isFile(),
    }));
    if (!isFile) continue;
    total += size;
    console.log(`${(size / 1000).toFixed(0).padStart(6)} kB  media/${name.replaceAll(path.sep, '/')}`);
  }
  const clipBytes = (await stat(path.join(media, 'restore.webp'))).size;
  if (clipBytes > CLIP_BYTES || total > MEDIA_BYTES) {
    throw new Error(
      `Expected a clip of at most ${CLIP_BYTES} bytes and ${MEDIA_BYTES} in all; got ${clipBytes} and ${total}.`,
    );
  }
}

async function main(): Promise<void> {
  await mkdir(walkthrough, { recursive: true });
  const editor = await startEditor({
    name: 'pictures',
    window: WINDOW,
    files: {
      'coffee.png': { copy: 'notebooks/pictures/coffee-small.png' },
      'portrait.png': { copy: 'notebooks/pictures/astronaut-dark.png' },
      'portrait-well-lit.png': { copy: 'notebooks/pictures/astronaut.png' },
      'low-light.ipynb': { text: typescriptNotebook([CELL]) },
      'cells.ipynb': { text: typescriptNotebook([CELL, 'run.frames']) },
    },
    settings: {
      'workbench.colorTheme': THEMES[0].name,
      'notebook.lineNumbers': 'off',
      'workbench.editor.useModal': 'off',
    },
  });
  const only = process.argv.slice(2);
  /** One kind of picture that cannot be made does not keep the others from being made. */
  const attempt = async (name: string, make: () => Promise<void>): Promise<void> => {
    if (only.length > 0 && !only.includes(name)) return;
    try {
      await make();
      console.log(`${name}: made`);
    } catch (error) {
      await editor.screenshot(`failed-${name}`);
      console.error(`${name}:`, error);
      process.exitCode = 1;
    }
  };
  try {
    await attempt('notebook', () => runNotebook(editor));
    await attempt('panel', () => openPanel(editor));
    for (const { name, suffix } of THEMES) {
      await editor.workbench.theme(name);
      await attempt('notebook', () => notebookPictures(editor, suffix));
      await attempt('panel', () => panelPictures(editor, suffix));
      await attempt('settings', () => settingsPictures(editor, suffix));
    }
    await attempt('clip', () => clip(editor));
  } finally {
    await editor.stop();
    await removeInstallation();
  }
  await checkSizes();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
