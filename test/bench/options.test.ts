import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { parseOptions, usage } from '../../bench/options.js';

const sections = ['kernels', 'step'];

test('options of the benchmarks: sections, model, batch size and files', () => {
  const none = { model: undefined, batchSize: undefined, json: undefined, compare: undefined };
  assert.deepEqual(parseOptions([], sections), { sections: [], ...none });
  const words = 'step --model mlp --batch-size 64 --json a.json --compare b.json'.split(' ');
  assert.deepEqual(parseOptions(words, sections), {
    ...{ sections: ['step'], model: 'mlp', batchSize: 64, json: 'a.json', compare: 'b.json' },
  });
});

test('--help asks for the usage, which names every section and option', () => {
  assert.equal(parseOptions(['step', '--help'], sections), undefined);
  const text = usage(sections);
  for (const word of [...sections, '--model', '--batch-size', '--json', '--compare', 'mlp']) {
    assert.ok(text.includes(word), word);
  }
});

for (const [line, message] of [
  ['kernel', 'There is no section kernel. Sections are kernels, step.'],
  ['--model vae', '--model is vae: expected one of cvae, mlp, iwae.'],
  ['--batch-size 0', '--batch-size is 0: expected a whole number from 1 up.'],
  ['--batch-size 1.5', '--batch-size is 1.5: expected a whole number from 1 up.'],
  ['--batches 3', /^Unknown option '--batches'.* --help lists the options\.$/],
] as const) {
  test(`refused: ${line}`, () => {
    const error = new RegExp(typeof message === 'string' ? `^${escaped(message)}$` : message);
    assert.throws(
      () => parseOptions(line.split(' '), sections),
      (thrown) => thrown instanceof UsageError && error.test(thrown.message),
    );
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
