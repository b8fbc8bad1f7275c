import assert from 'node:assert/strict';
import { isKernelRequest, isLanguageAnswer, isLanguageRequest, languageResult } from '../../../src/protocol';

describe('messages of the language process', () => {
  const cell = { above: ['1'], code: '2' };

  it('are questions about a cell and those above it', () => {
    assert.ok(isLanguageRequest({ id: 1, cell, query: { kind: 'check' } }));
    assert.ok(isLanguageRequest({ id: 1, cell, query: { kind: 'describe', offset: 0, name: 'a' } }));
    for (const wrong of [
      undefined,
      { id: -1, cell, query: { kind: 'check' } },
      { id: 1, cell: { above: [1], code: '' }, query: { kind: 'check' } },
      { id: 1, cell: { above: [] }, query: { kind: 'check' } },
      { id: 1, cell, query: { kind: 'run' } },
      { id: 1, cell, query: { kind: 'hover', offset: 0.5 } },
      { id: 1, cell, query: { kind: 'describe', offset: 0 } },
    ]) {
      assert.ok(!isLanguageRequest(wrong), JSON.stringify(wrong));
    }
  });

  it('are answers of the shape that was asked for', () => {
    assert.ok(isLanguageAnswer({ id: 0, error: 'the compiler failed' }) && !isLanguageAnswer({ id: 0, error: 1 }));
    const problem = { start: 0, end: 2, message: 'wrong', code: 1 };
    assert.deepEqual(languageResult('check', [problem]), [problem]);
    assert.equal(languageResult('check', [{ ...problem, end: -1 }]), undefined);
    assert.equal(languageResult('check', [{ ...problem, start: 3 }]), undefined);
    assert.equal(languageResult('complete', [{ name: 'a', kind: 'const' }]), undefined);
    const description = { declaration: 'const a: 1', documentation: '' };
    assert.deepEqual(languageResult('describe', description), description);
    assert.equal(languageResult('hover', description), undefined);
    const signatures = { active: 0, activeParameter: 0, signatures: [{ ...description, parameters: [] }] };
    assert.deepEqual(languageResult('signatures', signatures), signatures);
    assert.equal(languageResult('signatures', { ...signatures, signatures: [description] }), undefined);
  });
});

describe('the defaults that come with a cell', () => {
  it('are a known device and the name of a model', () => {
    const request = { type: 'execute', id: 1, code: '' };
    assert.ok(isKernelRequest(request));
    assert.ok(isKernelRequest({ ...request, defaults: { device: 'cpu', model: 'compact' } }));
    assert.ok(!isKernelRequest({ ...request, defaults: { device: 'abacus' } }));
    assert.ok(!isKernelRequest({ ...request, defaults: { model: 1 } }));
  });
});
