import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { roundoff, underflow, words } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

/** An elementary function within 4 ulp (elementary.test.ts), an ulp being at most two units of roundoff. */
const ELEMENTARY = 8;

interface Likelihood {
  /** [rows, dimensions]. */
  readonly logits: Float32Array;
  /** [rows / samples, dimensions]. */
  readonly x: Float32Array;
  readonly samples: number;
  readonly dimensions: number;
  readonly scale: number;
}

const harness = new KernelHarness();

function bernoulli({ logits, x, samples, dimensions, scale }: Likelihood, withGradient = true) {
  harness.reset();
  const rows = logits.length / dimensions;
  const [l, target] = [harness.input(logits), harness.input(x)];
  const terms = harness.output(rows * 8);
  const gradient = withGradient ? harness.output(logits.byteLength) : 0;
  harness.run((kernels) => kernels.bernoulli(l, target, rows, samples, dimensions, scale, terms, gradient));
  return {
    logLikelihood: harness.doubles(terms, rows),
    dLogits: withGradient ? harness.floats(gradient, logits.length) : new Float32Array(),
  };
}

/** x ℓ − softplus(ℓ), nats, in float64. */
function logProbability(l: number, x: number): number {
  return x * l - Math.max(l, 0) - Math.log1p(Math.exp(-Math.abs(l)));
}

/** What float32 may add to a term: the roundings of x ℓ, of its difference, of log1p and its argument, of the whole. */
function termBound(l: number, x: number): number {
  const e = Math.exp(-Math.abs(l));
  const linear = Math.abs(x * l - Math.max(l, 0));
  const softplus = Math.log1p(e);
  const units = Math.abs(x * l) + linear + ELEMENTARY * (softplus + e / (1 + e)) + (linear + softplus);
  return units * roundoff * 1.001 + 16 * underflow;
}

/** (σ(ℓ) − x) scale: e^{−|ℓ|}, 1 + e, the quotient, the difference, the scale's rounding and the product. */
function exactGradient(l: number, x: number, scale: number): { value: number; bound: number } {
  const sigmoid = l < 0 ? Math.exp(l) / (1 + Math.exp(l)) : 1 / (1 + Math.exp(-l));
  const value = (sigmoid - x) * scale;
  const units = (ELEMENTARY + 2) * sigmoid * scale + 3 * Math.abs(value);
  return { value, bound: units * roundoff * 1.001 + 16 * underflow };
}

function assertRight(likelihood: Likelihood): void {
  const { logits, x, samples, dimensions, scale } = likelihood;
  const { logLikelihood, dLogits } = bernoulli(likelihood);
  logLikelihood.forEach((actual, row) => {
    let [exact, bound, magnitude] = [0, 0, 0];
    for (let i = 0; i < dimensions; i++) {
      const [l, t] = [logits[row * dimensions + i]!, x[Math.floor(row / samples) * dimensions + i]!];
      exact += logProbability(l, t);
      bound += termBound(l, t);
      magnitude += Math.abs(logProbability(l, t));
      const gradient = exactGradient(l, t, scale);
      const error = Math.abs(dLogits[row * dimensions + i]! - gradient.value);
      assert.ok(error <= gradient.bound, `gradient at logit ${l}, x ${t}: off by ${error}`);
    }
    bound += dimensions * magnitude * 2 ** -52;
    const error = Math.abs(actual - exact);
    assert.ok(error <= bound, `row ${row}: ${actual}, expected ${exact} ± ${bound}`);
  });
}

/** Logits of all sizes up to ±128, examples of 0, 1 and grey. */
function sample(seed: number, examples: number, samples: number, dimensions: number): Likelihood {
  const next = words(seed);
  const size = () => 2 ** ((next() % 14) - 6) * (next() / 2 ** 32);
  return {
    logits: Float32Array.from({ length: examples * samples * dimensions }, () =>
      next() & 1 ? size() : -size(),
    ),
    x: Float32Array.from({ length: examples * dimensions }, () => [0, 1, (next() >>> 24) / 255][next() % 3]!),
    samples,
    dimensions,
    scale: 1 / samples,
  };
}

test('log p(x|z) and its gradient, every number of dimensions to 9 and of samples to 3', () => {
  for (let dimensions = 1; dimensions <= 9; dimensions++) {
    for (let samples = 1; samples <= 3; samples++) {
      for (const examples of [1, 3])
        assertRight(sample(10 * dimensions + samples, examples, samples, dimensions));
    }
  }
  assertRight(sample(1, 2, 2, 784));
});

test('any logits', () => {
  const size = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(fc.nat(), size, size, size, (seed, examples, samples, dimensions) =>
      assertRight(sample(seed, examples, samples, dimensions)),
    ),
  );
});

test('extreme logits are finite and right', () => {
  for (const l of [100, -100, 1e4, -1e4, 3e38, -3e38, 0, -0]) {
    for (const x of [0, 1, 0.25]) {
      const one = { logits: Float32Array.of(l), x: Float32Array.of(x), samples: 1, dimensions: 1, scale: 1 };
      const { logLikelihood, dLogits } = bernoulli(one);
      assert.ok(Number.isFinite(logLikelihood[0]) && Number.isFinite(dLogits[0]), `logit ${l}, x ${x}`);
      assertRight(one);
    }
  }
});

test('a NaN logit makes its row NaN, and no other', () => {
  const likelihood = sample(3, 3, 1, 5);
  likelihood.logits[5 + 3] = Number.NaN;
  const { logLikelihood, dLogits } = bernoulli(likelihood);
  assert.deepEqual(Array.from(logLikelihood, Number.isNaN), [false, true, false]);
  assert.deepEqual(dLogits.findIndex(Number.isNaN), 8);
  assert.deepEqual(dLogits.findLastIndex(Number.isNaN), 8);
});

test('the gradient is that of the likelihood: central differences in float64', () => {
  // Step h: truncation h² |σ''| / 6 < h² / 60; rounding of terms below 200: 200 · 2⁻⁵² / h.
  const h = 2 ** -14;
  const likelihood = sample(4, 30, 1, 9);
  const { dLogits } = bernoulli(likelihood);
  dLogits.forEach((gradient, i) => {
    const [l, x] = [likelihood.logits[i]!, likelihood.x[i]!];
    const slope = -(logProbability(l + h, x) - logProbability(l - h, x)) / (2 * h);
    const bound = exactGradient(l, x, 1).bound + (h * h) / 60 + (200 * 2 ** -52) / h;
    // Across ℓ = 0 the halves of softplus meet smoothly: max(ℓ, 0) + log1p(e^{−|ℓ|}) = log(1 + e^ℓ).
    assert.ok(Math.abs(gradient - slope) <= bound, `logit ${l}, x ${x}: ${gradient}, slope ${slope}`);
  });
});

test('without a gradient the terms have the same bits; rows do not depend on each other', () => {
  const likelihood = sample(5, 4, 2, 7);
  const { logLikelihood, dLogits } = bernoulli(likelihood);
  assert.deepEqual(bernoulli(likelihood, false).logLikelihood, logLikelihood);
  for (let row = 0; row < 8; row++) {
    const example = row >> 1;
    const alone = bernoulli({
      ...likelihood,
      logits: likelihood.logits.slice(row * 7, (row + 1) * 7),
      x: likelihood.x.slice(example * 7, (example + 1) * 7),
    });
    assert.equal(alone.logLikelihood[0], logLikelihood[row]);
    assertSameBits(alone.dLogits, dLogits.subarray(row * 7, (row + 1) * 7), `row ${row}`);
  }
});
