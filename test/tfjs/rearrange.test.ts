import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { gamma } from '../kernels/float32.js';
import { real } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

before(() => useBackend('wasm'));

const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });

interface Read {
  readonly shape: number[];
  readonly dtype: string;
  readonly values: number[];
}

function read(tensor: Tensor): Read {
  return { shape: tensor.shape, dtype: tensor.dtype, values: Array.from(tensor.dataSync()) };
}

/** What `f` gives on both backends must be the same to the bit: nothing is computed. */
async function assertSameOnBoth(f: () => Tensor[], what: string): Promise<void> {
  await useBackend('cpu');
  const expected = tf.tidy(() => f().map(read) as never) as Read[];
  await useBackend('wasm');
  const actual = tf.tidy(() => f().map(read) as never) as Read[];
  assert.deepEqual(actual, expected, what);
}

const dtypes = fc.constantFrom('float32', 'int32', 'bool') as fc.Arbitrary<'float32' | 'int32' | 'bool'>;

function inputOf(shape: readonly number[], dtype: 'float32' | 'int32' | 'bool', seed: number): Tensor {
  const kind = dtype === 'float32' ? 'real' : 'integers';
  return tf.tensor(
    valuesOf({ shape, low: 0, high: dtype === 'bool' ? 2 : 9, kind }, seed),
    [...shape],
    dtype,
  );
}

test('tile, of any axes', async () => {
  const cases = shapes.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      reps: fc.array(fc.constantFrom(1, 1, 2, 3), { minLength: shape.length, maxLength: shape.length }),
      dtype: dtypes,
      seed: fc.nat(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, reps, dtype, seed }) => {
      await assertSameOnBoth(() => [tf.tile(inputOf(shape, dtype, seed), reps)], `[${shape}] × [${reps}]`);
    }),
  );
});

test('gather, split and reverse along any axis', async () => {
  const cases = shapes.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 7 }),
      dtype: dtypes,
      seed: fc.nat(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, axis, picks, dtype, seed }) => {
      const extent = shape.at(axis)!;
      const indices = picks.map((index) => index % extent);
      const parts = Array.from({ length: extent }, () => 1);
      if (parts.length > 1) parts.splice(0, 2, 2);
      const x = () => inputOf(shape, dtype, seed);
      const index = () => tf.tensor1d(indices, 'int32');
      // TensorFlow.js's own gather takes no negative axis.
      const positive = axis < 0 ? axis + shape.length : axis;
      await assertSameOnBoth(() => [tf.gather(x(), index(), positive)], `gather of [${shape}], axis ${axis}`);
      await assertSameOnBoth(() => tf.split(x(), parts, axis), `split of [${shape}], axis ${axis}`);
      await assertSameOnBoth(() => [tf.reverse(x(), axis)], `reverse of [${shape}], axis ${axis}`);
    }),
  );
});

test('transpose, of any permutation', async () => {
  const cases = fc
    .array(fc.constantFrom<number[]>(1, 2, 3, 5, 9), { minLength: 1, maxLength: 5 })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        perm: fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
        dtype: dtypes,
        seed: fc.nat(),
      }),
    );
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, perm, dtype, seed }) => {
      await assertSameOnBoth(
        () => [tf.transpose(inputOf(shape, dtype, seed), perm)],
        `[${shape}] by [${perm}]`,
      );
    }),
  );
});

test('gather with batch axes', async () => {
  await assertSameOnBoth(() => {
    const x = inputOf([3, 4, 2], 'float32', 5);
    const indices = tf.tensor2d([0, 3, 1, 1, 2, 2], [3, 2], 'int32');
    return [tf.gather(x, indices, 1, 1)];
  }, 'batchDims 1');
});

test('gather: an index out of range is refused in the words of TensorFlow.js, and leaks nothing', () => {
  for (const index of [-1, 6]) {
    const before = tf.memory().numTensors;
    assert.throws(
      () => tf.tidy(() => tf.gather(tf.zeros([6, 2]), tf.tensor1d([0, index], 'int32'))),
      new Error(`GatherV2: the index value ${index} is not in [0, 5]`),
    );
    assert.equal(tf.memory().numTensors, before);
  }
});

test('segment sums: rows of any width; ids beyond the segments are left out', () => {
  const cases = fc.record({
    rows: fc.integer({ min: 1, max: 20 }),
    width: fc.integer({ min: 1, max: 9 }),
    segments: fc.integer({ min: 1, max: 6 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(cases, ({ rows, width, segments, seed }) => {
      const x = valuesOf(real([rows, width]), seed);
      const ids = valuesOf({ shape: [rows], low: -1, high: segments + 1, kind: 'integers' }, seed + 1);
      const actual = tf.tidy(() =>
        tf
          .unsortedSegmentSum(tf.tensor2d(x, [rows, width]), tf.tensor1d(ids, 'int32') as Tensor1D, segments)
          .dataSync(),
      );
      for (let s = 0; s < segments; s++) {
        for (let i = 0; i < width; i++) {
          const terms = ids.flatMap((id, row) => (id === s ? [x[row * width + i]!] : []));
          const exact = terms.reduce((sum, term) => sum + term, 0);
          const size = terms.reduce((sum, term) => sum + Math.abs(term), 0);
          const error = Math.abs(actual[s * width + i]! - exact);
          assert.ok(error <= gamma(terms.length) * size, `segment ${s}, number ${i}: off by ${error}`);
        }
      }
    }),
  );
});
