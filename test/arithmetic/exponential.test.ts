import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exp, expNegative, log } from '#src/arithmetic/exponential.js';

test('expNegative: within 4 · 2⁻⁵³ of itself, 0 at last', () => {
  assert.equal(expNegative(0), 1);
  assert.equal(expNegative(-746), 0);
  assert.equal(expNegative(-1e300), 0);
  assert.ok(Number.isNaN(expNegative(Number.NaN)));
  for (let i = 0; i <= 200_000; i++) {
    const x = -i * (700 / 200_000);
    const expected = Math.exp(x);
    // Math.exp itself is granted a unit in the last place, which is 2 · 2⁻⁵³.
    const error = Math.abs(expNegative(x) - expected);
    assert.ok(error <= (4 + 2) * 2 ** -53 * expected, `exp(${x}) is off by ${error / expected}`);
  }
});

test('exp: within 5 · 2⁻⁵³ of itself on both sides of 0, 0 and infinite at last', () => {
  assert.deepEqual([exp(0), exp(-1e4), exp(1e4)], [1, 0, Number.POSITIVE_INFINITY]);
  assert.ok(Number.isNaN(exp(Number.NaN)));
  for (let x = -700; x <= 700; x += 0.0137) {
    const expected = Math.exp(x);
    const error = Math.abs(exp(x) - expected);
    assert.ok(error <= (5 + 2) * 2 ** -53 * expected, `exp(${x}) is off by ${error / expected}`);
  }
});

test('log: within 2⁻⁵⁰ of max(1, |log x|), exactly 0 at 1, infinite at the ends', () => {
  assert.equal(log(1), 0);
  assert.deepEqual([log(0), log(-0)], [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  assert.equal(log(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
  for (const x of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) assert.ok(Number.isNaN(log(x)), `log(${x})`);
  for (let i = 0; i <= 200_000; i++) {
    const x = 1e-6 * 1.0002 ** i;
    if (x > 1e9) break;
    const expected = Math.log(x);
    const error = Math.abs(log(x) - expected);
    assert.ok(error <= 2 ** -50 * Math.max(1, Math.abs(expected)), `log(${x}) is off by ${error}`);
  }
});
