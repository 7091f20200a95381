import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  boundedGaussianBackward,
  boundedKlAnalytic,
  boundedKlMonteCarlo,
  boundedReparameterise,
} from '../reference/boundedGaussian.js';
import { klAnalytic, klMonteCarlo, reparameterise } from '../reference/gaussian.js';
import { type Bounded, exact, float32 } from '../reference/rounding.js';
import { backward, forward, type GaussianCase, kinds, type Size, sampleGaussian } from './gaussianCase.js';
import { assertSameBits } from './kernelHarness.js';
import { backwardBits, forwardBits } from './scalarGaussian.js';

function assertWithin(actual: ArrayLike<number>, { value, bound }: Bounded, what: string): void {
  assert.equal(actual.length, value.length);
  value.forEach((v, i) => {
    const error = Math.abs(actual[i]! - v);
    assert.ok(error <= bound[i]!, `${what}[${i}] is ${actual[i]}, expected ${v} ± ${bound[i]}`);
  });
}

/** Against float64, within what float32 and an exp of 4 ulp may add. */
function assertRight(gaussian: GaussianCase): void {
  const { samples, latent, kind, beta } = gaussian;
  const [posterior, epsilon, dz] = doubles(gaussian);
  const q = exact(posterior);
  const { z, kl } = forward(gaussian);
  const sampled = exact(Float64Array.from(z));
  assertWithin(z, boundedReparameterise(q, epsilon, samples, latent, float32), 'z');
  const expectedKl =
    kind === 'analytic'
      ? boundedKlAnalytic(q, latent, float32)
      : boundedKlMonteCarlo(q, epsilon, sampled, samples, latent, float32);
  assertWithin(kl, expectedKl, 'kl');
  assertWithin(
    backward(gaussian, z),
    boundedGaussianBackward(q, epsilon, sampled, exact(dz), samples, latent, kind, beta, float32),
    'dPosterior',
  );
}

function doubles({ posterior, epsilon, dz }: GaussianCase): [Float64Array, Float64Array, Float64Array] {
  return [Float64Array.from(posterior), Float64Array.from(epsilon), Float64Array.from(dz)];
}

/** Bit by bit, the KL as a float64 sum of float32 terms. */
function assertBits(gaussian: GaussianCase): void {
  const { z, kl } = forward(gaussian);
  const expected = forwardBits(gaussian);
  assertSameBits(z, expected.z, 'z');
  expected.klTerms.forEach((terms, example) => {
    const sum = terms.reduce((a, b) => a + b);
    // Float64 sums of n terms in two orders differ by at most 2 (n − 1) 2⁻⁵³ of their magnitudes; the factor
    // adds one.
    const bound = (terms.length + 1) * 2 ** -52 * terms.reduce((a, b) => a + Math.abs(b), 0);
    assert.ok(Math.abs(kl[example]! - sum) <= bound, `KL ${kl[example]}, the sum of its terms is ${sum}`);
  });
  assertSameBits(backward(gaussian, z), backwardBits(gaussian, z), 'dPosterior');
}

/**
 * Σ_k dz_k · z_k + beta KL of one example of one latent dimension, in float64: linear in z, as the gradient
 * takes the decoder to be. `size` sums the magnitudes of all that is added up.
 */
function loss(gaussian: GaussianCase, example: number, q: Float64Array): { value: number; size: number } {
  const { samples, kind, beta } = gaussian;
  const [epsilon, dz] = [gaussian.epsilon, gaussian.dz].map((values) =>
    Float64Array.from(values.subarray(example * samples, (example + 1) * samples)),
  ) as [Float64Array, Float64Array];
  const [mu, logvar] = [Math.abs(q[0]!), q[1]!];
  const z = reparameterise(q, epsilon, samples, 1);
  const zSize = reparameterise(Float64Array.of(mu, logvar), epsilon.map(Math.abs), samples, 1);
  const kl = kind === 'analytic' ? klAnalytic(q, 1) : klMonteCarlo(q, epsilon, z, samples, 1);
  const squares = kind === 'analytic' ? mu ** 2 + Math.exp(logvar) : zSize.reduce((sum, s) => sum + s * s, 0);
  const rest = Math.abs(logvar) + 1 + epsilon.reduce((sum, e) => sum + e * e, 0);
  return {
    value: z.reduce((sum, value, k) => sum + value * dz[k]!, beta * kl[0]!),
    size: zSize.reduce((sum, s, k) => sum + s * Math.abs(dz[k]!), beta * (squares + rest)),
  };
}

const sizes: fc.Arbitrary<Size> = fc.record({
  examples: fc.integer({ min: 1, max: 4 }),
  samples: fc.integer({ min: 1, max: 6 }),
  latent: fc.integer({ min: 1, max: 21 }),
});
/** 0 … 4 in thousandths: a warm-up's steps are no finer. */
const betas = fc.integer({ min: 0, max: 4000 }).map((thousandths) => thousandths / 1000);

for (const kind of kinds) {
  test(`${kind} KL: latent dimensions to 9, samples to 3, log-variances to ±20`, () => {
    for (let latent = 1; latent <= 9; latent++) {
      for (let samples = 1; samples <= 3; samples++) {
        for (const examples of [1, 3]) {
          const gaussian = sampleGaussian(10 * latent + samples, { examples, samples, latent }, kind);
          assertBits(gaussian);
          assertRight(gaussian);
        }
      }
    }
  });

  test(`${kind} KL: any size, any beta`, () => {
    fc.assert(
      fc.property(fc.nat(), sizes, betas, (seed, size, beta) => {
        const gaussian = sampleGaussian(seed, size, kind, beta);
        assertBits(gaussian);
        assertRight(gaussian);
      }),
    );
  });

  test(`${kind} KL: the gradient is that of the float64 loss, central differences`, () => {
    // One latent dimension an example: a large log-variance beside it would drown its differences.
    const gaussian = sampleGaussian(1, { examples: 60, samples: 2, latent: 1 }, kind);
    const { z } = forward(gaussian);
    const gradient = backward(gaussian, z);
    const [posterior, epsilon, dz] = doubles(gaussian);
    const { bound } = boundedGaussianBackward(
      exact(posterior),
      epsilon,
      boundedReparameterise(exact(posterior), epsilon, 2, 1, float32),
      exact(dz),
      2,
      1,
      kind,
      gaussian.beta,
      float32,
    );
    const h = 2 ** -16;
    gradient.forEach((actual, i) => {
      const [example, which] = [i >> 1, i & 1];
      const q = posterior.slice(2 * example, 2 * example + 2);
      const moved = (by: number) => loss(gaussian, example, q.with(which, q[which]! + by)).value;
      const slope = (moved(h) - moved(-h)) / (2 * h);
      // Truncation: h² / 6 of a third derivative, of z² at most twice its size; rounding: eight of 2⁻⁵³, over
      // h.
      const { size } = loss(gaussian, example, q);
      const allowed = size * ((h * h) / 3 + (8 * 2 ** -53) / h) + bound[i]!;
      assert.ok(Math.abs(actual - slope) <= allowed, `gradient ${i}: ${actual}, slope ${slope} ± ${allowed}`);
    });
  });

  test(`${kind} KL: a NaN makes its example's KL NaN, and no other`, () => {
    for (const place of [10 + 1, 10 + 5 + 1]) {
      const gaussian = sampleGaussian(3, { examples: 3, samples: 1, latent: 5 }, kind);
      gaussian.posterior[place] = Number.NaN;
      assert.deepEqual(Array.from(forward(gaussian).kl, Number.isNaN), [false, true, false]);
    }
  });
}

test('the prior itself has no KL and no gradient of it', () => {
  const latent = 5;
  const gaussian: GaussianCase = {
    ...sampleGaussian(4, { examples: 1, samples: 1, latent }, 'analytic'),
    posterior: new Float32Array(2 * latent),
    dz: new Float32Array(latent),
  };
  const { z, kl } = forward(gaussian);
  assert.equal(kl[0], 0);
  assertSameBits(backward(gaussian, z), new Float32Array(2 * latent), 'gradient');
});
