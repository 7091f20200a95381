import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fromBits, ulpError } from '../kernels/float32.js';
import { tf, useBackend } from './onWasm.js';

interface ElementaryFunction {
  readonly kernel: string;
  readonly exact: (x: number) => number;
  /** Units in the last place. */
  readonly ulps: number;
}

/** log(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

// The bounds are the whole numbers above the maxima found with SWEEP_STEP=211: 0.97, 1.54, 1.01, 1.44, 2.69
// and 1.24.
const functions: readonly ElementaryFunction[] = [
  { kernel: 'Exp', exact: Math.exp, ulps: 1 },
  { kernel: 'Expm1', exact: Math.expm1, ulps: 2 },
  { kernel: 'Log', exact: Math.log, ulps: 2 },
  { kernel: 'Log1p', exact: Math.log1p, ulps: 2 },
  { kernel: 'Softplus', exact: softplus, ulps: 3 },
  { kernel: 'Tanh', exact: Math.tanh, ulps: 2 },
  // Correctly rounded.
  { kernel: 'Sqrt', exact: Math.sqrt, ulps: 0.5 },
  { kernel: 'Reciprocal', exact: (x) => 1 / x, ulps: 0.5 },
  // Two roundings: of the root (half a unit, which the division makes up to one), and of the quotient.
  { kernel: 'Rsqrt', exact: (x) => 1 / Math.sqrt(x), ulps: 1.5 },
];

const CHUNK = 1 << 16;
/** Odd: meets all low bits. */
const SWEEP_STEP = Number(process.env.SWEEP_STEP ?? 9973);

/** Zeros, subnormal numbers, ends of the ranges, infinities, NaN. */
const SPECIAL = [
  0,
  -0,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  2 ** -127,
  -(2 ** -127),
  2 ** -126,
  1 - 2 ** -24,
  1 + 2 ** -23,
  -1 + 2 ** -24,
  88.72284,
  88.722839,
  -87.336548,
  -103.97208,
  -104,
  2 ** 127,
  fromBits(0x7f7fffff),
  -fromBits(0x7f7fffff),
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];

before(() => useBackend('wasm'));

function onWasm(kernel: string, values: Float32Array): Float32Array {
  return tf.tidy(() => {
    const y = tf.engine().runKernel(kernel, { x: tf.tensor1d(values) });
    return Float32Array.from((y as ReturnType<typeof tf.tensor1d>).dataSync());
  });
}

function* sweep(): Generator<Float32Array> {
  const patterns = new Uint32Array(CHUNK);
  let filled = 0;
  for (let pattern = 0; pattern < 2 ** 32; pattern += SWEEP_STEP) {
    patterns[filled++] = pattern;
    if (filled === CHUNK) {
      yield new Float32Array(patterns.buffer.slice(0));
      filled = 0;
    }
  }
  yield new Float32Array(patterns.buffer.slice(0, filled * 4));
}

for (const { kernel, exact, ulps } of functions) {
  test(`${kernel} is within ${ulps} ulp on all float32 numbers`, () => {
    let worst = { error: 0, x: 0, y: 0 };
    for (const values of sweep()) {
      const results = onWasm(kernel, values);
      values.forEach((x, i) => {
        const error = ulpError(results[i]!, exact(x));
        if (error > worst.error) worst = { error, x, y: results[i]! };
      });
    }
    assert.ok(
      worst.error <= ulps,
      `${kernel}(${worst.x}) = ${worst.y} is off by ${worst.error} units in the last place`,
    );
  });

  test(`${kernel}: zeros keep their sign; subnormal numbers, infinities and NaN are what they must be`, () => {
    const values = Float32Array.from(SPECIAL);
    const results = onWasm(kernel, values);
    values.forEach((x, i) => {
      const expected = Math.fround(exact(x));
      const actual = results[i]!;
      const same = Object.is(actual, expected) || (expected !== 0 && ulpError(actual, exact(x)) <= ulps);
      assert.ok(same, `${kernel}(${Object.is(x, -0) ? '-0' : x}) is ${actual}, expected ${expected}`);
    });
  });

  test(`${kernel}: any count gives the same bits, and writes no number behind the last`, () => {
    const values = Float32Array.from({ length: 37 }, (_, i) => 0.05 + i / 16);
    const all = onWasm(kernel, values);
    for (let count = 0; count <= 20; count++) {
      const neighbours = tf.tidy(() => {
        // A neighbour on the heap is likely the one behind the output; both are checked.
        const guards = Array.from({ length: 4 }, () => tf.fill([4], 7));
        const part = onWasm(kernel, values.slice(0, count));
        assert.deepEqual(part, all.slice(0, count), `${count} numbers`);
        return guards.map((guard) => Array.from(guard.dataSync()));
      });
      assert.deepEqual(neighbours, Array(4).fill([7, 7, 7, 7]));
    }
  });
}
