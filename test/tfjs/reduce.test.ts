import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { gamma, roundoff, underflow } from '../kernels/float32.js';
import { real } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

before(() => useBackend('wasm'));

/**
 * Up to five axes, sizes with whole vectors and rests, some of one; any subset of them reduced, as −1 too.
 */
const reductions = fc
  .array(fc.constantFrom<number[]>(1, 2, 3, 5, 8, 17, 18), { minLength: 0, maxLength: 5 })
  .filter((shape) => shape.reduce((product, size) => product * size, 1) <= 6000)
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axes: fc.subarray(shape.map((_, i) => i)),
      negative: fc.boolean(),
      keepDims: fc.boolean(),
      seed: fc.nat(),
    }),
  );

/** The terms of each result, in the order of the results. */
function groups(values: readonly number[], shape: readonly number[], axes: readonly number[]): number[][] {
  const result: number[][] = [];
  values.forEach((value, flat) => {
    let rest = flat;
    let at = 0;
    let pitch = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const index = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      if (axes.includes(axis)) continue;
      at += index * pitch;
      pitch *= shape[axis]!;
    }
    result[at] ??= [];
    result[at]!.push(value);
  });
  return result;
}

const kernels = [
  {
    name: 'sum',
    of: (terms: number[]) => terms.reduce((sum, x) => sum + x, 0),
    // Summed in float64 in some order, rounded once.
    bound: (terms: number[], exact: number) =>
      roundoff * Math.abs(exact) + absolute(terms) * terms.length * 2 ** -52 + underflow,
  },
  {
    name: 'mean',
    of: (terms: number[]) => terms.reduce((sum, x) => sum + x, 0) / terms.length,
    bound: (terms: number[], exact: number) =>
      roundoff * Math.abs(exact) + absolute(terms) * 2 ** -51 + underflow,
  },
  { name: 'max', of: (terms: number[]) => Math.max(...terms), bound: () => 0 },
  { name: 'min', of: (terms: number[]) => Math.min(...terms), bound: () => 0 },
] as const;

/** Groups of neighbouring axes that are reduced, axes of one element aside. */
function reducedGroups(shape: readonly number[], axes: readonly number[]): number {
  const fates = shape.flatMap((size, i) => (size === 1 ? [] : [axes.includes(i)]));
  return fates.filter((reduced, i) => reduced && !fates[i - 1]).length;
}

function absolute(terms: number[]): number {
  return terms.reduce((sum, x) => sum + Math.abs(x), 0);
}

for (const { name, of, bound } of kernels) {
  test(`${name} over any axes`, () => {
    fc.assert(
      fc.property(reductions, ({ shape, axes, negative, keepDims, seed }) => {
        const values = valuesOf(real(shape), seed);
        const asked = negative ? axes.map((axis) => axis - shape.length) : axes;
        const { actual, outShape } = tf.tidy(() => {
          const y = tf[name](tf.tensor(values, shape), asked, keepDims);
          return { actual: y.dataSync(), outShape: y.shape };
        });
        const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
        assert.deepEqual(outShape, keepDims ? kept : kept.filter((_, i) => !axes.includes(i)));
        const expected = groups(values, shape, axes);
        assert.equal(actual.length, expected.length);
        expected.forEach((terms, i) => {
          const exact = of(terms);
          const error = Math.abs(actual[i]! - exact);
          // More than two groups of axes are summed by TensorFlow.js's own kernel, in float32.
          const extra = reducedGroups(shape, axes) > 2 ? gamma(terms.length) * absolute(terms) : 0;
          assert.ok(
            error <= bound(terms, exact) + extra,
            `[${shape}] over [${axes}]: ${actual[i]}, expected ${exact}`,
          );
        });
      }),
    );
  });

  test(`${name} of int32 is the kernel of TensorFlow.js`, () => {
    const y = tf.tidy(() => {
      const result = tf[name](
        tf.tensor(
          [
            [1, 2],
            [3, 5],
          ],
          [2, 2],
          'int32',
        ),
        0,
      );
      return { dtype: result.dtype, values: Array.from(result.dataSync()) };
    });
    const expected = { sum: [4, 7], mean: [2, 3.5], max: [3, 5], min: [1, 2] }[name];
    assert.deepEqual(y, { dtype: name === 'mean' ? 'float32' : 'int32', values: expected });
  });
}

test('a NaN anywhere is the extreme of its group, and of no other', () => {
  for (const count of [1, 3, 16, 21]) {
    for (let at = 0; at < count; at++) {
      for (const axis of [0, 1]) {
        const rows = Array.from({ length: count }, (_, i) => (i === at ? Number.NaN : i));
        const values = axis === 1 ? [...rows, ...rows.map(() => 1)] : rows.flatMap((x) => [x, 1]);
        const shape = axis === 1 ? [2, count] : [count, 2];
        for (const name of ['max', 'min'] as const) {
          const [broken, sound] = tf.tidy(() => tf[name](tf.tensor(values, shape), axis).dataSync());
          assert.deepEqual([broken, sound], [Number.NaN, 1], `${name} of [${shape}], NaN at ${at}`);
        }
      }
    }
  }
});

test('sums of nothing are zero', () => {
  const y = tf.tidy(() => Array.from(tf.sum(tf.zeros([0, 3]), 0).dataSync()));
  assert.deepEqual(y, [0, 0, 0]);
});

test('running sums along any axis, negative ones too', () => {
  const cases = fc
    .array(fc.constantFrom<number[]>(1, 2, 3, 7), { minLength: 1, maxLength: 4 })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
        exclusive: fc.boolean(),
        reverse: fc.boolean(),
        seed: fc.nat(),
      }),
    );
  fc.assert(
    fc.property(cases, ({ shape, axis, exclusive, reverse, seed }) => {
      const values = valuesOf(real(shape), seed);
      const actual = tf.tidy(() => tf.cumsum(tf.tensor(values, shape), axis, exclusive, reverse).dataSync());
      const count = shape.at(axis)!;
      const inner = axis === -1 ? 1 : shape.slice(axis + 1).reduce((size, extent) => size * extent, 1);
      values.forEach((_, flat) => {
        const at = Math.floor(flat / inner) % count;
        const terms = Array.from({ length: count }, (_, k) => k)
          .filter((k) => (reverse ? k > at : k < at) || (k === at && !exclusive))
          .map((k) => values[flat + (k - at) * inner]!);
        const error = Math.abs(actual[flat]! - terms.reduce((sum, x) => sum + x, 0));
        assert.ok(error <= gamma(count) * absolute(terms), `[${shape}] along ${axis}: off by ${error}`);
      });
    }),
  );
});
