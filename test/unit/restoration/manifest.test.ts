import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import { expertOf, findModel, parseManifest, readVerified } from '../../../src/restoration/models/manifest';
import { writeTestModel } from './test-model';

type Editable = Record<string, Record<string, Record<string, unknown>>>;

describe('model manifests', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-manifest-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('describe a model whose files are verified', async () => {
    const model = await findModel(await writeTestModel(path.join(folder, 'model')));
    assert.equal(model.manifest.id, 'test-model');
    assert.match(model.sha256, /^[0-9a-f]{64}$/);
    assert.ok((await readVerified(model, 'head')).length > 0);
  });

  it('ship inside with all their files intact', async () => {
    const model = await findModel('compact');
    for (const key of Object.keys(model.manifest.files)) assert.ok((await readVerified(model, key)).length > 0);
  });

  const spoiled: [string, (manifest: Editable) => void, RegExp][] = [
    ['a path outside the folder', (m) => (m.files!.trunk!.path = '../trunk.onnx'), /stay inside the model's folder/],
    ['an absolute path', (m) => (m.files!.trunk!.path = '/etc/passwd'), /stay inside the model's folder/],
    ['a backslash path', (m) => (m.files!.trunk!.path = '..\\trunk.onnx'), /stay inside the model's folder/],
    ['a hash that is none', (m) => (m.files!.trunk!.sha256 = 'abc'), /64 hexadecimal digits/],
    ['a missing part', (m) => delete m.files!.head, /"files.head" is missing/],
    ['another schema', (m) => Object.assign(m, { schema: 2 }), /"schema" has to be 1/],
    ['an unknown kind', (m) => Object.assign(m, { kind: 'magic' }), /"kind" has to be/],
    ['an unknown task', (m) => Object.assign(m, { tasks: ['colourise'] }), /"tasks" has to be a list/],
    ['a tile that does not divide', (m) => Object.assign(m.tile!, { size: 500 }), /"tile.size" has to be a multiple/],
    ['a text for a number', (m) => Object.assign(m, { thumbnail: '64' }), /"thumbnail" has to be a whole number/],
    ['a hostile id', (m) => Object.assign(m, { id: '../x' }), /"id" may hold/],
  ];
  const spoiledExperts: [string, (experts: Editable) => void, RegExp][] = [
    ['an expert without a head', (e) => delete e.deblurring!.head, /"experts.deblurring.head" has to be a text/],
    ['an expert of no file', (e) => Object.assign(e.deblurring!, { trunk: 'x' }), /names no file of "files": x/],
    ['an expert named like a prototype', (e) => Object.assign(e.deblurring!, { trunk: 'toString' }), /names no file/],
    ['a task without an expert', (e) => delete e['low-light'], /"experts.low-light" has to be an object/],
    ['an expert of no task', (e) => Object.assign(e, { colourise: {} }), /"colourise", which is not among "tasks"/],
    ['an expert of a bad multiple', (e) => Object.assign(e.deblurring!, { multiple: 48 }), /has to be a multiple of/],
    [
      'an expert of a bad tile',
      (e) => Object.assign(e.deblurring!, { tile: { size: 100, overlap: 8 } }),
      /"experts.deblurring.tile.size" has to be a multiple/,
    ],
  ];
  for (const [what, edit, message] of spoiledExperts) {
    it(`are refused with ${what}`, async () => {
      await writeTestModel(folder, { experts: true, edit: ({ experts }) => edit(experts as unknown as Editable) });
      await assert.rejects(findModel(folder), (error) => {
        assert.ok(error instanceof RestorationError);
        assert.equal(error.code, 'bad-model');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('give each task its expert, or all tasks the same networks', async () => {
    const { manifest: single } = await findModel(await writeTestModel(path.join(folder, 'single')));
    assert.ok(single.kind === 'trajectory');
    const base = { tile: { size: 512, overlap: 48 }, multiple: 16 };
    assert.deepEqual(expertOf(single, 'deblurring'), { trunk: 'trunk', head: 'head', ...base });
    const own = { tile: { size: 256, overlap: 32 }, multiple: 32 };
    const routed = await findModel(
      await writeTestModel(path.join(folder, 'routed'), {
        experts: true,
        edit: ({ experts }) => Object.assign((experts as unknown as Editable).deblurring!, own),
      }),
    );
    assert.ok(routed.manifest.kind === 'trajectory');
    const networks = (task: string) => ({ trunk: `${task}-trunk`, head: `${task}-head` });
    assert.deepEqual(expertOf(routed.manifest, 'deblurring'), { ...networks('deblurring'), ...own });
    assert.deepEqual(expertOf(routed.manifest, 'low-light'), { ...networks('low-light'), ...base });
  });

  for (const [what, edit, message] of spoiled) {
    it(`are refused with ${what}`, async () => {
      await writeTestModel(folder, { edit: (manifest) => edit(manifest) });
      await assert.rejects(findModel(folder), (error) => {
        assert.ok(error instanceof RestorationError);
        assert.equal(error.code, 'bad-model');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('are refused when they are not JSON', async () => {
    await writeFile(path.join(folder, 'manifest.json'), '{"schema": 1,');
    await assert.rejects(findModel(folder), /it is not JSON/);
  });

  it('refuse weights of another size, another content or beyond a link', async () => {
    const model = await findModel(await writeTestModel(folder));
    await appendFile(path.join(folder, 'trunk.onnx'), 'x');
    await assert.rejects(readVerified(model, 'trunk'), /bytes instead of/);
    const { bytes } = model.manifest.files.head!;
    await writeFile(path.join(folder, 'head.onnx'), Buffer.alloc(bytes));
    await assert.rejects(readVerified(model, 'head'), /SHA-256/);
    await rm(path.join(folder, 'text.onnx'));
    await symlink('/etc/hostname', path.join(folder, 'text.onnx'));
    await assert.rejects(readVerified(model, 'text'), /leads out of the folder/);
    await rm(path.join(folder, 'text.onnx'));
    await assert.rejects(readVerified(model, 'text'), /cannot be read \(ENOENT\)/);
  });

  it('of any JSON give a manifest or one clear error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          parseManifest(json, folder);
        } catch (error) {
          assert.ok(error instanceof RestorationError && error.code === 'bad-model', String(error));
        }
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  it('name the installed models when an id is unknown', async () => {
    await assert.rejects(findModel('no-such-model'), /no model "no-such-model"; installed: .*compact/);
    await assert.rejects(findModel('lpips'), /There is no model/);
  });
});
