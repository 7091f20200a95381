import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { real } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

before(() => useBackend('wasm'));

const operations = {
  maximum: (a: number, b: number) => Math.max(a, b),
  minimum: (a: number, b: number) => Math.min(a, b),
  greater: (a: number, b: number) => Number(a > b),
  greaterEqual: (a: number, b: number) => Number(a >= b),
  less: (a: number, b: number) => Number(a < b),
  lessEqual: (a: number, b: number) => Number(a <= b),
  equal: (a: number, b: number) => Number(a === b),
  notEqual: (a: number, b: number) => Number(a !== b),
} as const;

/**
 * A shape of up to five axes, and for each operand which of them are broadcast, and how many leading axes it
 * lacks.
 */
const operands = fc
  .array(fc.constantFrom<number[]>(1, 2, 3, 5, 17), { maxLength: 5 })
  .filter((shape) => shape.reduce((size, extent) => size * extent, 1) <= 2000)
  .chain((shape) => {
    const operand = fc.record({
      ones: fc.subarray(shape.map((_, i) => i)),
      missing: fc.integer({ min: 0, max: shape.length }),
    });
    return fc.record({ shape: fc.constant(shape), a: operand, b: operand, seed: fc.nat() });
  })
  .map(({ shape, a, b, seed }) => {
    const of = ({ ones, missing }: typeof a) =>
      shape.map((size, i) => (ones.includes(i) ? 1 : size)).slice(missing);
    return { a: of(a), b: of(b), seed };
  });

/** The shape of both together; TensorFlow.js's rule. */
function together(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x = 1, y = 1] = [a[a.length - rank + i], b[b.length - rank + i]];
    return x === 1 ? y : x;
  });
}

/** The element of an operand under a place of the result. */
function pick(
  values: readonly number[],
  shape: readonly number[],
  out: readonly number[],
  flat: number,
): number {
  let at = 0;
  let pitch = 1;
  let rest = flat;
  for (let i = 1; i <= out.length; i++) {
    const index = rest % out[out.length - i]!;
    rest = Math.floor(rest / out[out.length - i]!);
    const extent = shape[shape.length - i] ?? 1;
    if (extent !== 1) at += index * pitch;
    pitch *= extent;
  }
  return values[at]!;
}

/** Few different values, so that many are equal; NaN and infinities among them. */
function operandValues(shape: readonly number[], seed: number): number[] {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return valuesOf(real(shape, 0, 9), seed).map((x) => special[Math.floor(x)] ?? Math.floor(x));
}

function agrees(
  name: keyof typeof operations,
  a: readonly number[],
  b: readonly number[],
  seed: number,
): void {
  const [x, y] = [operandValues(a, seed), operandValues(b, seed + 1)];
  const out = together(a, b);
  const actual = tf.tidy(() => {
    const z = tf[name](tf.tensor(x, [...a], 'float32'), tf.tensor(y, [...b], 'float32'));
    return { shape: z.shape, dtype: z.dtype, values: Array.from(z.dataSync()) };
  });
  const size = out.reduce((product, extent) => product * extent, 1);
  const values = Array.from({ length: size }, (_, i) =>
    operations[name](pick(x, a, out, i), pick(y, b, out, i)),
  );
  const dtype = name.endsWith('imum') ? 'float32' : 'bool';
  assert.deepEqual(actual, { shape: out, dtype, values });
}

for (const name of Object.keys(operations) as (keyof typeof operations)[]) {
  test(`${name} of any two shapes that fit`, () => {
    fc.assert(fc.property(operands, ({ a, b, seed }) => agrees(name, a, b, seed)));
  });

  // Five and six axes of which no two go on alike: stock TensorFlow.js loses a NaN there.
  test(`${name} of operands that are broadcast over every other axis`, () => {
    for (let seed = 0; seed < 10; seed++) {
      agrees(name, [2, 1, 2, 1], [3, 2, 5, 2, 3], seed);
      agrees(name, [2, 1, 3, 1, 2, 1], [1, 3, 1, 2, 1, 5], seed);
    }
  });
}

test('where and the logical operations, at any count', () => {
  for (let count = 0; count < 40; count++) {
    const condition = valuesOf({ shape: [count], low: 0, high: 2, kind: 'integers' }, count);
    const other = valuesOf({ shape: [count], low: 0, high: 2, kind: 'integers' }, count + 99);
    const [a, b] = [valuesOf(real([count]), 1), valuesOf(real([count]), 2)];
    const actual = tf.tidy(() => {
      const [p, q] = [tf.tensor1d(condition, 'bool'), tf.tensor1d(other, 'bool')];
      const tensors = [
        tf.where(p, tf.tensor1d(a, 'float32'), tf.tensor1d(b, 'float32')),
        tf.logicalAnd(p, q),
        tf.logicalOr(p, q),
      ];
      return tensors.map((t) => Array.from(t.dataSync()));
    });
    assert.deepEqual(actual, [
      condition.map((c, i) => (c ? a[i] : b[i])),
      condition.map((c, i) => c & other[i]!),
      condition.map((c, i) => c | other[i]!),
    ]);
  }
});

test('a condition for each row, and int32 operands, stay with TensorFlow.js', () => {
  const actual = tf.tidy(() => [
    Array.from(tf.maximum(tf.tensor1d([1, 5], 'int32'), tf.tensor1d([4, 2], 'int32')).dataSync()),
    Array.from(
      tf.where(tf.tensor2d([[1], [0]], [2, 1], 'bool'), tf.ones([2, 2]), tf.zeros([2, 2])).dataSync(),
    ),
  ]);
  assert.deepEqual(actual, [
    [4, 5],
    [1, 1, 0, 0],
  ]);
});
