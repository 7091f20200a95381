import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Rank, Tensor } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { DENSE_GRADIENTS, registerDenseGradients } from '#src/backends/tensorflow/denseGradients.js';
import type { TensorFlow } from '#src/tfjs/tensorflow.js';
import { sampleValues } from '../tfjs/boundedProduct.js';
import { tf, useBackend } from '../tfjs/onWasm.js';
import { columnsOf, type Geometry, SparseRun, sparseValues } from './sparseRun.js';

/** With lists of 40 columns, and of 80. */
const TILES = ['4x8', '6x16'] as const;

/**
 * [m, n, k]: big enough to be looked at; one and several blocks of rows and of the depth, whole and last
 * vectors and widths.
 */
const EXTENTS = [
  [16, 400, 400],
  [17, 784, 160],
  [300, 80, 100],
  [40, 500, 145],
  [64, 129, 300],
  [257, 101, 81],
  [33, 256, 400],
  [530, 84, 48],
] as const;

/** The same bits, but for the sign of a zero and the payload of a NaN. */
function assertSameNumbers(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [actual[i]!, expected[i]!];
    if (x !== y && !(Number.isNaN(x) && Number.isNaN(y)))
      assert.fail(`${what}: element ${i} is ${x}, expected ${y}`);
  }
}

/** Zeros where the product looks first: at eight places from the first to the last. */
function blankSamples(a: Float32Array): void {
  for (let i = 0; i < 8; i++) {
    const place = Math.floor((i * (a.length - 1)) / 7);
    a.fill(0, Math.max(0, place - 200), place + 200);
  }
}

const plain = { transposeA: false, transposeB: false, relu: false };

for (const tile of TILES) {
  describe(`product of a matrix with many zeros, tiles ${tile}`, () => {
    let run: SparseRun;
    before(async () => {
      run = await SparseRun.start(tile);
    });

    const check = (geometry: Geometry, density: number, biased: boolean, seed: number): boolean => {
      const { m, n, k } = geometry;
      const operands = {
        a: sparseValues(m * k, density, seed),
        b: sampleValues(k * n, seed + 1),
        ...(biased && { bias: sampleValues(n, seed + 2) }),
      };
      const { out, listed } = run.product(geometry, operands);
      const what = JSON.stringify({ ...geometry, density, biased, seed });
      assertSameNumbers(out, run.dense(geometry, operands), what);
      return listed;
    };

    it('goes by lists, and has the bits of the dense kernels', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...EXTENTS),
          fc.constantFrom(0, 0.01, 0.1, 0.2),
          fc.boolean(),
          fc.boolean(),
          fc.boolean(),
          fc.nat(1000),
          ([m, n, k], density, transposeA, relu, biased, seed) => {
            assert.ok(check({ m, n, k, transposeA, transposeB: false, relu }, density, biased, seed));
          },
        ),
        { numRuns: 40 },
      );
    });

    it('goes by dense kernels where little is zero, or there is little to gain', () => {
      for (const transposeA of [false, true]) {
        const geometry = { ...plain, transposeA };
        assert.ok(!check({ ...geometry, m: 64, n: 400, k: 128 }, 1, false, 1));
        assert.ok(!check({ ...geometry, m: 64, n: 400, k: 128 }, 0.75, false, 2));
        assert.ok(!check({ ...geometry, m: 64, n: 100, k: 100 }, 0.1, false, 3));
        assert.ok(!check({ ...geometry, m: 800, n: 39, k: 128 }, 0.1, false, 4));
        assert.ok(!check({ ...geometry, m: 15, n: 400, k: 400 }, 0.1, false, 5));
      }
    });

    it('goes by dense kernels where zeros were found by chance alone', () => {
      for (const transposeA of [false, true]) {
        for (const k of [100, 300]) {
          const geometry = { ...plain, m: 600, n: 100, k, transposeA };
          const a = sampleValues(geometry.m * k, 1);
          blankSamples(a);
          const operands = { a, b: sampleValues(k * geometry.n, 2) };
          const { out, listed } = run.product(geometry, operands);
          assert.ok(!listed);
          assertSameNumbers(out, run.dense(geometry, operands), JSON.stringify(geometry));
        }
      }
    });

    it('goes on with dense kernels where the first rows have zeros and others do not', () => {
      for (const [m, n, k] of [
        [520, 100, 100],
        [40, 100, 900],
      ] as const) {
        for (const transposeA of [false, true]) {
          const geometry = { ...plain, m, n, k, transposeA };
          const a = sampleValues(m * k, 1);
          // What is summed first: the first rows, or the first part of the depth.
          const isFirst = (row: number, depth: number) => (m > k ? row < m / 2 : depth < k / 2);
          for (let row = 0; row < m; row++) {
            for (let depth = 0; depth < k; depth++) {
              if (isFirst(row, depth)) a[transposeA ? depth * m + row : row * k + depth] = 0;
            }
          }
          blankSamples(a);
          const operands = { a, b: sampleValues(k * n, 2) };
          const { out, listed } = run.product(geometry, operands);
          assert.ok(listed);
          assertSameNumbers(out, run.dense(geometry, operands), JSON.stringify(geometry));
        }
      }
    });

    it('is NaN where a zero meets a NaN or an infinity', () => {
      const [m, n, k] = [64, 400, 101];
      for (const transposeA of [false, true]) {
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          for (const place of [0, 3, 15, 16, 17 * n + 5, k * n - 2, k * n - 1]) {
            const geometry = { ...plain, m, n, k, transposeA };
            const a = sparseValues(m * k, 0.1, 1);
            const [depth, column] = [Math.floor(place / n), place % n];
            for (let row = 0; row < m; row++) a[transposeA ? depth * m + row : row * k + depth] = 0;
            const b = sampleValues(k * n, 2);
            b[place] = value;
            const { out, listed } = run.product(geometry, { a, b });
            const clean = run.dense(geometry, { a, b: b.map((x) => (Number.isFinite(x) ? x : 0)) });
            assert.ok(!listed);
            for (let i = 0; i < m; i++) clean[i * n + column] = Number.NaN;
            assertSameNumbers(out, clean, JSON.stringify({ transposeA, value, place }));
          }
        }
      }
    });

    it('keeps a NaN and an infinity of the left operand in their rows', () => {
      for (const transposeA of [false, true]) {
        for (const relu of [false, true]) {
          const geometry = { ...plain, m: 64, n: 400, k: 128, transposeA, relu };
          const a = sparseValues(64 * 128, 0.1, 1);
          for (const [i, value] of [
            [0, Number.NaN],
            [5000, Number.POSITIVE_INFINITY],
            [8191, Number.NEGATIVE_INFINITY],
          ] as const)
            a[i] = value;
          const operands = { a, b: sampleValues(128 * 400, 2) };
          const { out, listed } = run.product(geometry, operands);
          assert.ok(listed);
          assertSameNumbers(out, run.dense(geometry, operands), JSON.stringify(geometry));
          assert.equal(out.filter(Number.isNaN).length >= 400, true);
        }
      }
    });

    it('takes −0 for a zero', () => {
      for (const transposeA of [false, true]) {
        const geometry = { ...plain, m: 64, n: 400, k: 128, transposeA };
        const operands = { a: new Float32Array(64 * 128).fill(-0), b: sampleValues(128 * 400, 2) };
        const { out, listed } = run.product(geometry, operands);
        assert.ok(listed);
        assertSameNumbers(out, new Float32Array(64 * 400), 'product');
        const bias = sampleValues(400, 3);
        assertSameNumbers(
          run.product(geometry, { ...operands, bias }).out,
          run.dense(geometry, { ...operands, bias }),
          'with a bias',
        );
      }
    });

    it('is left to the dense kernels where the right operand is transposed', () => {
      for (const transposeA of [false, true]) {
        const geometry = { ...plain, m: 64, n: 400, k: 128, transposeA, transposeB: true };
        const operands = { a: sparseValues(64 * 128, 0.1, 1), b: sampleValues(128 * 400, 2) };
        const { out } = run.product(geometry, operands);
        assertSameNumbers(out, run.dense(geometry, operands), JSON.stringify(geometry));
      }
    });
  });
}

describe('matMul of a matrix with many zeros', () => {
  before(() => useBackend('wasm'));

  it('has the bits of products of a few rows', () => {
    tf.tidy(() => {
      const x = tf.tensor2d(sparseValues(128 * 784, 0.19, 1), [128, 784]);
      const w = tf.tensor2d(sampleValues(784 * 40 * 3, 2), [784, 120]);
      const bias = tf.tensor1d(sampleValues(120, 3));
      const layer = (rows: Tensor<Rank.R2>) => tf.fused.matMul({ a: rows, b: w, bias, activation: 'relu' });
      const parts = Array.from({ length: 16 }, (_, i) => layer(tf.slice(x, [i * 8, 0], [8, 784])));
      const expected = tf.concat(parts, 0).dataSync() as Float32Array;
      assertSameNumbers(layer(x).dataSync() as Float32Array, expected, 'layer');
    });
  });

  it('of a batch with one product that is not finite has NaN in that alone', () => {
    tf.tidy(() => {
      const a = tf.tensor3d(sparseValues(2 * 100 * 128, 0.1, 1), [2, 128, 100]);
      const values = sampleValues(2 * 128 * 200, 2);
      const clean = tf.matMul(a, tf.tensor3d(values, [2, 128, 200]), true, false).dataSync();
      values[128 * 200 + 7] = Number.NaN;
      const out = tf.matMul(a, tf.tensor3d(values, [2, 128, 200]), true, false).dataSync();
      const expected = Float32Array.from(clean, (x, i) => (i >= 100 * 200 && i % 200 === 7 ? Number.NaN : x));
      assertSameNumbers(out as Float32Array, expected, 'batch');
    });
  });
});

for (const tile of TILES) {
  describe(`gradients of a dense layer whose input has many zeros, tiles ${tile}`, () => {
    let run: SparseRun;
    before(async () => {
      run = await SparseRun.start(tile);
      registerDenseGradients(tf as unknown as TensorFlow, run.host);
    });

    /** Weights and bias, of an input [rows, inputs]. */
    const gradients = (
      input: Float32Array,
      dOutput: Float32Array,
      bounds: readonly number[],
      columns: number,
    ) =>
      tf.tidy(() => {
        const rows = bounds.at(-1)!;
        const inputs = input.length / rows;
        const layer = { big: [1, 1, inputs], small: [1, 1, columns] };
        const tensors = {
          input: tf.tensor3d(input, [1, rows, inputs]),
          dOutput: tf.tensor3d(dOutput, [1, rows, columns]),
        };
        const out = tf.engine().runKernel(DENSE_GRADIENTS, tensors, { layer, bounds } as never) as Tensor[];
        return out.map((tensor) => tensor.dataSync() as Float32Array) as [Float32Array, Float32Array];
      });

    it('go by lists, and have the bits of the dense kernels, shard by shard', () => {
      for (const bounds of [
        [0, 128],
        [0, 16, 32, 48, 64, 80, 96, 112, 128],
        [0, 1, 40, 41, 100, 131],
        [0, 200, 300],
      ]) {
        for (const density of [0, 0.19, 0.95]) {
          const [rows, inputs, columns] = [bounds.at(-1)!, 300, 124];
          const input = sparseValues(rows * inputs, density, 1);
          const dOutput = sampleValues(rows * columns, 2);
          let actual: [Float32Array, Float32Array] | undefined;
          const listed = run.usesLists(() => {
            actual = gradients(input, dOutput, bounds, columns);
          });
          const what = JSON.stringify({ bounds, density });
          assert.equal(listed, density < 0.5, what);
          const expected = new Float32Array(inputs * columns);
          // Too few inputs for lists.
          for (let first = 0; first < inputs; first += 10) {
            const [part, bias] = gradients(columnsOf(input, rows, first, 10), dOutput, bounds, columns);
            expected.set(part, first * columns);
            assertSameNumbers(actual![1], bias, `bias of ${what}`);
          }
          assertSameNumbers(actual![0], expected, what);
        }
      }
    });

    it('are NaN where a zero meets a NaN', () => {
      const [rows, inputs, columns] = [128, 300, 124];
      const input = sparseValues(rows * inputs, 0.1, 1);
      input.fill(0, 5 * inputs, 6 * inputs);
      const dOutput = sampleValues(rows * columns, 2);
      dOutput[5 * columns + 3] = Number.NaN;
      const [weights] = gradients(input, dOutput, [0, 64, 128], columns);
      const isNaNExpected = (i: number) => i % columns === 3;
      assert.ok(weights.every((value, i) => Number.isNaN(value) === isNaNExpected(i)));
    });
  });
}
