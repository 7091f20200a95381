import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { layerPage } from './layerTable.js';
import { useBackend } from './onWasm.js';
import { FAMILIES, randomStack } from './randomStacks.js';
import type { Stack } from './stack.js';
import { compared } from './stackComparison.js';
import { exceptionOf, STACK_EXCEPTIONS } from './stackExceptions.js';

/** Draws for each family of layers; those to which an exception applies are not compared. */
const DRAWS = 13;
const SEED = 17;
const LEAST = 500;

/** Exports of tf.layers that make no layer of a stack. */
const OTHERS: Readonly<Record<string, string>> = {
  Layer: 'a base class',
  RNN: 'a base class',
  RNNCell: 'a base class',
  input: 'every stack begins with it',
  inputLayer: 'the same as a layer',
  convLstm2dCell: 'no exported layer takes it',
};

/** tfjs-layers warns of `unroll` at each step. */
console.warn = () => {};

const drawn = fc.sample(fc.gen(), { numRuns: FAMILIES.length * DRAWS, seed: SEED });
const seen = new Set<string>();
let count = 0;

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'layer' in value && typeof value.layer === 'string' ? [value.layer] : [];
  return [...own, ...Object.values(value).flatMap(namesIn)];
}

for (const [f, family] of FAMILIES.entries()) {
  test(`stacks with ${family.names.join(', ')}`, async () => {
    for (let i = 0; i < DRAWS; i++) {
      await useBackend('cpu');
      const stack: Stack = randomStack(tfl, drawn[f * DRAWS + i]!, family);
      for (const name of namesIn(stack.layers)) seen.add(name);
      if (exceptionOf(stack) !== undefined) continue;
      assert.deepEqual(await compared(stack), {}, `This stack: ${JSON.stringify(stack)}`);
      count++;
    }
  });
}

test('stacks were many, and had every layer of tf.layers', () => {
  assert.ok(count >= LEAST, `${count} stacks were compared`);
  const missing = Object.keys(tfl.layers).filter((name) => !seen.has(name) && !(name in OTHERS));
  assert.deepEqual(missing, []);
});

for (const { layer, when, side, example } of STACK_EXCEPTIONS) {
  test(`${layer}, ${when}: still an exception; else the table is to be shortened`, async () => {
    const { throws, differs } = await compared(example);
    if (side === 'both') assert.ok(throws?.wasm !== undefined || differs !== undefined);
    else assert.ok(throws?.wasm === undefined && (throws?.cpu !== undefined || differs !== undefined));
  });
}

test('docs/tfjs-wasm.md lists the exceptions that users meet', () => {
  const { found, expected } = layerPage();
  assert.equal(found, expected, 'Run "node build/bench/tfjs/layerPage.js".');
});
