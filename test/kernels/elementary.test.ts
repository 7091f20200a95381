import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sigmoid } from '../reference/bernoulli.js';
import { CHUNK, type ElementaryKernel, elementary } from './elementary.js';
import { fromBits, ulpError } from './float32.js';
import { assertSameBits } from './kernelHarness.js';

const INFINITY_BITS = 0x7f800000;
const SIGN = 0x80000000;

interface ElementaryFunction {
  readonly kernel: ElementaryKernel;
  readonly exact: (x: number) => number;
  /**
   * Units in the last place. The kernels promise 4; these are the whole numbers above the maxima found by
   * trying every float32: 0.992 (of size 0.001 to 105), 0.830 (0.05 to 20), 1.969 (1e-5 to 1), 1.331 (0.01 to
   * 10) and 2.402 (as exp).
   */
  readonly limit: number;
  /** Bit patterns [from, to) that the function is made for. */
  readonly domain: readonly (readonly [number, number])[];
}

const everyNumber = [
  [0, INFINITY_BITS + 1],
  [SIGN, SIGN + INFINITY_BITS + 1],
] as const;

const functions: readonly ElementaryFunction[] = [
  { kernel: 'expArray', exact: Math.exp, limit: 1, domain: everyNumber },
  // Positive normal numbers.
  { kernel: 'logArray', exact: Math.log, limit: 1, domain: [[0x00800000, INFINITY_BITS]] },
  // From 0 to 1.
  { kernel: 'log1pArray', exact: Math.log1p, limit: 2, domain: [[0, 0x3f800001]] },
  { kernel: 'tanhForward', exact: Math.tanh, limit: 2, domain: everyNumber },
  { kernel: 'sigmoidArray', exact: sigmoid, limit: 3, domain: everyNumber },
];

/** Every `step`th bit pattern of the domain, and the domain's ends. */
function* sweep(domain: ElementaryFunction['domain'], step: number): Generator<Float32Array> {
  const patterns = new Uint32Array(CHUNK);
  let filled = 0;
  for (const [from, to] of domain) {
    for (let pattern = from; pattern < to; pattern += step) {
      patterns[filled++] = pattern;
      if (filled === CHUNK) {
        yield new Float32Array(patterns.buffer, 0, filled);
        filled = 0;
      }
    }
    patterns[filled++] = to - 1;
  }
  yield new Float32Array(patterns.buffer, 0, filled);
}

// An odd step meets all low bits of the mantissa.
for (const { kernel, exact, limit, domain } of functions) {
  test(`${kernel} is within ${limit} ulp of the exact value`, () => {
    let worst = { error: 0, x: 0 };
    for (const values of sweep(domain, 997)) {
      const results = elementary(kernel, values);
      for (let i = 0; i < values.length; i++) {
        const error = ulpError(results[i]!, exact(values[i]!));
        if (error > worst.error) worst = { error, x: values[i]! };
      }
    }
    assert.ok(worst.error <= limit, `${kernel}(${worst.x}) is off by ${worst.error} units in the last place`);
  });

  test(`${kernel}: a value has the same bits in any lane, at any count`, () => {
    const pattern = fc.constantFrom(...domain).chain(([from, to]) => fc.integer({ min: from, max: to - 1 }));
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 9 }), (patterns) => {
        const values = Float32Array.from(patterns, fromBits);
        const together = elementary(kernel, values);
        const alone = values.map((value) => elementary(kernel, Float32Array.of(value))[0]!);
        assertSameBits(together, alone, kernel);
      }),
    );
  });
}

test('a NaN stays one, alone', () => {
  for (const kernel of ['expArray', 'tanhForward', 'sigmoidArray'] as const) {
    for (const nan of [0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff]) {
      for (let lane = 0; lane < 4; lane++) {
        const patterns = Uint32Array.of(0, 0, 0, 0);
        patterns[lane] = nan;
        const results = elementary(kernel, new Float32Array(patterns.buffer));
        results.forEach((result, i) => {
          assert.equal(Number.isNaN(result), i === lane, `${kernel} of ${nan.toString(16)} in lane ${lane}`);
        });
      }
    }
  }
});

test('exact values', () => {
  const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
  const expectExact = (kernel: ElementaryKernel, x: number, expected: number) =>
    assert.equal(elementary(kernel, Float32Array.of(x))[0], expected, `${kernel}(${x})`);
  expectExact('expArray', 0, 1);
  expectExact('expArray', NEGATIVE_INFINITY, 0);
  expectExact('expArray', POSITIVE_INFINITY, POSITIVE_INFINITY);
  expectExact('expArray', 88.73, POSITIVE_INFINITY);
  expectExact('expArray', -104, 0);
  // Half the smallest subnormal is e^−103.97: above, the result is not yet 0.
  expectExact('expArray', -103.9, 2 ** -149);
  expectExact('logArray', 1, 0);
  expectExact('log1pArray', 0, 0);
  expectExact('tanhForward', POSITIVE_INFINITY, 1);
  expectExact('tanhForward', NEGATIVE_INFINITY, -1);
  expectExact('sigmoidArray', 0, 0.5);
  expectExact('sigmoidArray', POSITIVE_INFINITY, 1);
  expectExact('sigmoidArray', NEGATIVE_INFINITY, 0);
});

test('the largest finite exponential is finite', () => {
  // The largest float32 below 128 ln 2.
  const x = fromBits(0x42b17217);
  const result = elementary('expArray', Float32Array.of(x))[0]!;
  assert.ok(Number.isFinite(result) && ulpError(result, Math.exp(x)) <= 4, `exp(${x}) is ${result}`);
});

test('sigmoid and tanh stay within their ranges', () => {
  for (const [kernel, low] of [
    ['sigmoidArray', 0],
    ['tanhForward', -1],
  ] as const) {
    for (const values of sweep(everyNumber, 9973)) {
      for (const result of elementary(kernel, values))
        assert.ok(result >= low && result <= 1, `${kernel}: ${result}`);
    }
  }
});

test('tanh is odd to the bit', () => {
  // From the smallest positive number: at 0 the sign of the zero is open.
  for (const values of sweep([[1, INFINITY_BITS]], 9973)) {
    const positive = elementary('tanhForward', values);
    const negative = elementary(
      'tanhForward',
      values.map((value) => -value),
    );
    assertSameBits(
      negative,
      positive.map((value) => -value),
      'tanh(−x)',
    );
  }
});
