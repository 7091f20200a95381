import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { NamedAttrMap, Rank, Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { addProduct, assertSums, assertWithin, Sums, sampleValues, sizeOf } from './boundedProduct.js';
import { ACTIVATIONS, type Broadcast, fusedReference } from './fusedReference.js';
import { tf, useBackend } from './onWasm.js';

interface Operand {
  readonly shape: number[];
  readonly values: Float32Array;
}

function operand(shape: number[], seed: number): Operand {
  return { shape, values: sampleValues(sizeOf(shape), seed) };
}

function tensor({ shape, values }: Broadcast): Tensor {
  return tf.tensor(values as Float32Array, [...shape]);
}

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function operands(product: Product, batchA: number[], batchB: number[]): { a: Operand; b: Operand } {
  const { m, n, k, transposeA, transposeB } = product;
  return {
    a: operand([...batchA, ...(transposeA ? [k, m] : [m, k])], 1),
    b: operand([...batchB, ...(transposeB ? [n, k] : [k, n])], 2),
  };
}

/** Over `batch`, to which the operands' batches are broadcast. */
function reference(product: Product, a: Operand, b: Operand, batch: readonly number[]): Sums {
  const { m, n, k, transposeA, transposeB } = product;
  const sums = new Sums(sizeOf(batch) * m * n);
  const offsets = ({ shape }: Operand, size: number) =>
    indices(shape.slice(0, -2), batch).map((index) => index * size);
  const [offsetsA, offsetsB] = [offsets(a, m * k), offsets(b, k * n)];
  for (let i = 0; i < sizeOf(batch); i++) {
    const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
    const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
    addProduct(
      { values: a.values, offset: offsetsA[i]!, rows: rowsA, columns: columnsA, transposed: transposeA },
      { values: b.values, offset: offsetsB[i]!, rows: rowsB, columns: columnsB, transposed: transposeB },
      sums,
      i * m * n,
    );
  }
  return sums;
}

/** For each element of `batch` the one of the operand's batches that is broadcast to it. */
function indices(own: readonly number[], batch: readonly number[]): number[] {
  return Array.from({ length: sizeOf(batch) }, (_, i) => {
    let [index, stride, rest] = [0, 1, i];
    for (let axis = 1; axis <= batch.length; axis++) {
      const extent = own.at(-axis) ?? 1;
      if (extent > 1) index += (rest % batch.at(-axis)!) * stride;
      rest = Math.floor(rest / batch.at(-axis)!);
      stride *= extent;
    }
    return index;
  });
}

function checkMatMul(product: Product, batchA: number[], batchB: number[]): void {
  const { a, b } = operands(product, batchA, batchB);
  const { transposeA, transposeB } = product;
  tf.tidy(() => {
    const out = tf.matMul(tensor(a), tensor(b), transposeA, transposeB);
    const batch = out.shape.slice(0, -2);
    assert.deepEqual(out.shape.slice(-2), [product.m, product.n]);
    const what = JSON.stringify({ ...product, batchA, batchB });
    assertSums(out.dataSync(), reference(product, a, b, batch), what);
  });
}

/** Below, at and above the heights and widths of the tiles, and of what is chosen by them. */
const extent = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 37);
const products: fc.Arbitrary<Product> = fc.record({
  m: extent,
  n: extent,
  k: fc.oneof(extent, fc.constantFrom(127, 128, 131)),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

/** [batch of A, batch of B] that fit each other. */
const batches: fc.Arbitrary<[number[], number[]]> = fc.constantFrom(
  [[], []],
  [[3], [3]],
  [[3], [1]],
  [[1], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[2, 3], [3]],
  [[], [2, 2]],
);

describe('matMul', () => {
  before(() => useBackend('wasm'));

  it('is the product for every transposition, batch and extent', () => {
    fc.assert(
      fc.property(products, batches, (product, [batchA, batchB]) => checkMatMul(product, batchA, batchB)),
      { numRuns: 150 },
    );
  });

  it('is right where blocks of rows, columns and depth end', () => {
    for (const [m, n, k] of [
      [300, 24, 1100],
      [40, 300, 700],
      [21, 530, 260],
      [256, 96, 150],
      [3, 700, 90],
      [600, 2, 300],
    ] as const) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) checkMatMul({ m, n, k, transposeA, transposeB }, [], []);
      }
    }
  });

  it('of empty matrices is empty, or zeros where nothing is summed', () => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        checkMatMul({ m: 0, n: 3, k: 2, transposeA, transposeB }, [], []);
        checkMatMul({ m: 3, n: 0, k: 2, transposeA, transposeB }, [2], [2]);
        checkMatMul({ m: 3, n: 5, k: 0, transposeA, transposeB }, [2], []);
      }
    }
  });

  it('keeps a NaN and an infinity in their rows and columns', () => {
    for (const transposeB of [false, true]) {
      const a = tf.tensor2d([Number.NaN, 1, 1, 1, Number.POSITIVE_INFINITY, 1], [3, 2]);
      const b = tf.ones<Rank.R2>(transposeB ? [9, 2] : [2, 9]);
      const rows = tf.matMul(a, b, false, transposeB).arraySync() as number[][];
      assert.deepEqual(rows[0], new Array(9).fill(Number.NaN));
      assert.deepEqual(rows[1], new Array(9).fill(2));
      assert.deepEqual(rows[2], new Array(9).fill(Number.POSITIVE_INFINITY));
    }
  });
});

/** Bias shapes that TensorFlow.js broadcasts to [2, m, n]. */
const biasShapes = fc.constantFrom<((m: number, n: number) => number[]) | undefined>(
  undefined,
  (_m, n) => [n],
  () => [1],
  () => [],
  (m, n) => [m, n],
  (m) => [m, 1],
  (m, n) => [2, m, n],
  (_m, n) => [2, 1, n],
);

describe('fused matMul', () => {
  before(() => useBackend('wasm'));

  it('adds every bias and applies every activation', () => {
    fc.assert(
      fc.property(
        products,
        biasShapes,
        fc.constantFrom(...ACTIVATIONS),
        fc.boolean(),
        (product, biasShape, activation, shared) => {
          const { m, n, transposeA, transposeB } = product;
          const { a, b } = operands(product, [2], [shared ? 1 : 2]);
          const bias = biasShape && operand(biasShape(m, n), 3);
          const slopes = activation === 'prelu' ? operand([n], 4) : undefined;
          tf.tidy(() => {
            const out = tf.fused.matMul({
              a: tensor(a) as Tensor3D,
              b: tensor(b) as Tensor3D,
              transposeA,
              transposeB,
              activation,
              leakyreluAlpha: 0.3,
              ...(bias && { bias: tensor(bias) }),
              ...(slopes && { preluActivationWeights: tensor(slopes) }),
            });
            const sums = reference(product, a, b, [2]);
            const slope = Math.fround(0.3);
            const expected = fusedReference(sums, [2, m, n], { bias, activation, slope, slopes });
            assertWithin(
              out.dataSync(),
              expected,
              JSON.stringify({ ...product, activation, bias: bias?.shape }),
            );
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is right where the stock kernel is not: a transpose and a bias', () => {
    const a = tf.ones<Rank.R2>([4, 100]);
    const b = tf.ones<Rank.R2>([3, 100]);
    const out = tf.fused.matMul({ a, b, transposeB: true, bias: tf.tensor1d([1, 2, 3]) });
    assert.deepEqual(out.arraySync(), new Array(4).fill([101, 102, 103]));
  });

  it('refuses what it does not know in a sentence', () => {
    const a = tf.ones([1, 2, 2]);
    const run = (attributes: object) => () =>
      tf.engine().runKernel('_FusedMatMul', { a, b: a }, attributes as NamedAttrMap);
    assert.throws(run({ activation: 'swish' }), {
      message:
        "_FusedMatMul has no fused activation 'swish'. It has linear, prelu, relu, relu6, elu, sigmoid, leakyrelu.",
    });
    assert.throws(run({ activation: 'prelu' }), {
      message: "_FusedMatMul with the activation 'prelu' needs preluActivationWeights.",
    });
    assert.throws(() => tf.engine().runKernel('BatchMatMul', { a, b: tf.ones([1, 3, 2]) }, {}), {
      message:
        'BatchMatMul: shapes [1, 2, 2] (transposeA=false) and [1, 3, 2] (transposeB=false) do not fit each other.',
    });
  });
});
