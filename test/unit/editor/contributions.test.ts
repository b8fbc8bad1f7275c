import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  BATCH_VIEW_TYPE,
  COMMANDS,
  COMPARE_VIEW_TYPE,
  CONTROLLER_ID,
  EXTENSION_ID,
  MODELS_VIEW,
  NOTEBOOK_TYPE,
  PANEL_VIEW_TYPE,
  RENDERER_ID,
  SETTINGS,
  SETTINGS_SECTION,
} from '../../../src/editor/ids';
import { DEFAULT_FRAMES, DEVICES, MAXIMUM_FRAMES, RUN_MIME } from '../../../src/protocol';

interface Property {
  type: string;
  default: unknown;
  scope: string;
  enum?: string[];
  enumDescriptions?: string[];
  minimum?: number;
  maximum?: number;
}
interface Manifest {
  name: string;
  publisher: string;
  displayName: string;
  activationEvents: string[];
  capabilities: { untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; title: string; category: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    configuration: { properties: Record<string, Property> };
    notebookRenderer: { id: string; mimeTypes: string[] }[];
    views: Record<string, { id: string }[]>;
  };
}

const root = path.resolve(__dirname, '..', '..', '..');
const manifestText = readFileSync(path.join(root, 'package.json'), 'utf8');
const manifest = JSON.parse(manifestText) as Manifest;
const strings = JSON.parse(readFileSync(path.join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
const { contributes } = manifest;

describe('what the extension contributes', () => {
  it('is named as the code expects', () => {
    assert.equal(`${manifest.publisher}.${manifest.name}`, EXTENSION_ID);
  });

  it('has exactly the commands of the code, with category and title case', () => {
    const declared = contributes.commands.map(({ command }) => command);
    assert.deepEqual([...declared].sort(), Object.values(COMMANDS).sort());
    for (const { command, title, category } of contributes.commands) {
      const text = strings[title.slice(1, -1)];
      assert.match(text ?? '', /^[A-Z]\S*( ([A-Z]\S*|and|as|of|on))*$/, `title of ${command}`);
      assert.equal(strings[category.slice(1, -1)], 'Progressive Restoration');
    }
  });

  it('places only declared commands into menus', () => {
    const known = new Set<string>(Object.values(COMMANDS));
    for (const [menu, items] of Object.entries(contributes.menus)) {
      for (const { command } of items) assert.ok(known.has(command), `${command} in ${menu}`);
    }
    for (const menu of ['explorer/context', 'editor/title/context']) {
      const [item] = contributes.menus[menu] ?? [];
      assert.equal(item?.command, COMMANDS.restoreImage);
      assert.match(item?.when ?? '', /resourceExtname =~ \/\\\.\(png\|jpe\?g\|webp\|avif\|tiff\?\)\$\/i/);
    }
  });

  it('has the view of models, and conditions that name it', () => {
    assert.deepEqual(
      Object.values(contributes.views).flatMap((views) => views.map(({ id }) => id)),
      [MODELS_VIEW],
    );
    const conditions = [...(contributes.menus['view/title'] ?? []), ...(contributes.menus['view/item/context'] ?? [])];
    assert.ok(conditions.length > 0);
    for (const { when } of conditions) assert.ok(when?.startsWith(`view == ${MODELS_VIEW}`), when);
  });

  it('names kernel and panel in its conditions as the code does', () => {
    const conditions = Object.values(contributes.menus).flatMap((items) => items.map(({ when }) => when ?? ''));
    const kernels = conditions.flatMap((when) =>
      [...when.matchAll(/notebookKernel == '([^']*)'/g)].map(([, id]) => id),
    );
    const panels = conditions.flatMap((when) =>
      [...when.matchAll(/activeWebviewPanelId == '([^']*)'/g)].map(([, id]) => id),
    );
    assert.ok(kernels.length > 0 && panels.length > 0);
    assert.deepEqual([...new Set(kernels)], [`${EXTENSION_ID}/${CONTROLLER_ID}`]);
    assert.deepEqual([...new Set(panels)], [PANEL_VIEW_TYPE]);
  });

  it('has exactly the settings of the code, with their values and limits', () => {
    const { properties } = contributes.configuration;
    assert.deepEqual(
      Object.keys(properties).sort(),
      Object.values(SETTINGS)
        .map((name) => `${SETTINGS_SECTION}.${name}`)
        .sort(),
    );
    const device = properties[`${SETTINGS_SECTION}.${SETTINGS.device}`];
    assert.deepEqual(device?.enum, [...DEVICES]);
    assert.equal(device?.enumDescriptions?.length, DEVICES.length);
    const frames = properties[`${SETTINGS_SECTION}.${SETTINGS.frames}`];
    assert.deepEqual([frames?.minimum, frames?.maximum, frames?.default], [2, MAXIMUM_FRAMES, DEFAULT_FRAMES]);
  });

  it('keeps what names programs and devices out of the hands of a workspace', () => {
    const { properties } = contributes.configuration;
    for (const name of [
      SETTINGS.device,
      SETTINGS.nodePath,
      SETTINGS.endpoint,
      SETTINGS.endpointModel,
      SETTINGS.modelsFolder,
      SETTINGS.onnxruntimePath,
      SETTINGS.cudaFeed,
    ]) {
      assert.equal(properties[`${SETTINGS_SECTION}.${name}`]?.scope, 'machine');
    }
    const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    assert.equal(supported, 'limited');
    for (const name of [
      SETTINGS.device,
      SETTINGS.model,
      SETTINGS.nodePath,
      SETTINGS.endpoint,
      SETTINGS.modelsFolder,
      SETTINGS.onnxruntimePath,
      SETTINGS.cudaFeed,
    ]) {
      assert.ok(restrictedConfigurations.includes(`${SETTINGS_SECTION}.${name}`));
    }
  });

  it('renders the run, and wakes for a notebook, a strip or a panel only', () => {
    assert.deepEqual(
      contributes.notebookRenderer.map(({ id, mimeTypes }) => ({ id, mimeTypes })),
      [{ id: RENDERER_ID, mimeTypes: [RUN_MIME] }],
    );
    assert.deepEqual([...manifest.activationEvents].sort(), [
      `onNotebook:${NOTEBOOK_TYPE}`,
      `onRenderer:${RENDERER_ID}`,
      ...[BATCH_VIEW_TYPE, COMPARE_VIEW_TYPE, PANEL_VIEW_TYPE].map((type) => `onWebviewPanel:${type}`),
    ]);
  });

  it('has a text for every placeholder, and no text without one', () => {
    const used = new Set([...manifestText.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key));
    // The name in package.json is the one that npm and the marketplace show; the settings page shows the translated one.
    assert.deepEqual([...used].sort(), Object.keys(strings).sort());
    assert.equal(manifest.displayName, strings.displayName);
  });
});
