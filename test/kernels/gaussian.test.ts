import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Bounded,
  exactBackward,
  exactForward,
  exactLoss,
  type GaussianCase,
  type Size,
  sampleGaussian,
} from './gaussianCase.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();

function forward({ posterior, epsilon, examples, samples, latent, analytic }: GaussianCase) {
  harness.reset();
  const [q, noise] = [harness.input(posterior), harness.input(epsilon)];
  const [z, kl] = [harness.output(epsilon.byteLength), harness.output(examples * 8)];
  harness.run((kernels) =>
    kernels.gaussianForward(q, noise, z, examples, samples, latent, analytic ? 1 : 0, kl),
  );
  return { z: harness.floats(z, epsilon.length), kl: harness.doubles(kl, examples) };
}

/** [examples, 2 · latent]. */
function backward(gaussian: GaussianCase): Float32Array {
  const { posterior, epsilon, dz, examples, samples, latent, analytic, beta } = gaussian;
  const sampled = forward(gaussian).z;
  harness.reset();
  const [q, noise, z, gradient] = [posterior, epsilon, sampled, dz].map((values) => harness.input(values));
  const out = harness.output(posterior.byteLength);
  harness.run((kernels) =>
    kernels.gaussianBackward(
      q!,
      noise!,
      z!,
      gradient!,
      out,
      examples,
      samples,
      latent,
      analytic ? 1 : 0,
      beta,
    ),
  );
  return harness.floats(out, posterior.length);
}

function assertWithin(actual: ArrayLike<number>, expected: readonly Bounded[], what: string): void {
  assert.equal(actual.length, expected.length);
  expected.forEach(({ value, bound }, i) => {
    const error = Math.abs(actual[i]! - value);
    assert.ok(error <= bound, `${what}[${i}] is ${actual[i]}, expected ${value} ± ${bound}`);
  });
}

function assertRight(gaussian: GaussianCase): void {
  const { z, kl } = forward(gaussian);
  const expected = exactForward(gaussian);
  assertWithin(z, expected.z, 'z');
  assertWithin(kl, expected.kl, 'kl');
  assertWithin(backward(gaussian), exactBackward(gaussian), 'dPosterior');
}

const kinds = [
  { name: 'analytic KL', analytic: true },
  { name: 'Monte Carlo KL', analytic: false },
];

for (const { name, analytic } of kinds) {
  test(`${name}: z, KL and gradients, latent dimensions to 9, samples to 3, log-variances to ±20`, () => {
    for (let latent = 1; latent <= 9; latent++) {
      for (let samples = 1; samples <= 3; samples++) {
        for (const examples of [1, 3]) {
          assertRight(sampleGaussian(10 * latent + samples, { examples, samples, latent }, analytic));
        }
      }
    }
  });

  test(`${name}: any size, any beta`, () => {
    const size: fc.Arbitrary<Size> = fc.record({
      examples: fc.integer({ min: 1, max: 4 }),
      samples: fc.integer({ min: 1, max: 6 }),
      latent: fc.integer({ min: 1, max: 21 }),
    });
    const beta = fc.float({ min: 0, max: 4, noNaN: true }).filter((value) => value === 0 || value > 1e-6);
    fc.assert(
      fc.property(fc.nat(), size, beta, (seed, s, b) => assertRight(sampleGaussian(seed, s, analytic, b))),
    );
  });

  test(`${name}: the gradient is that of the loss: central differences in float64`, () => {
    // One latent dimension an example: a large log-variance beside it would drown its differences.
    const gaussian = sampleGaussian(1, { examples: 60, samples: 2, latent: 1 }, analytic);
    const h = 2 ** -16;
    exactBackward(gaussian).forEach(({ value }, i) => {
      const example = i >> 1;
      const at = Float64Array.from(gaussian.posterior.subarray(2 * example, 2 * example + 2));
      const moved = (by: number) => exactLoss(gaussian, example, at.with(i % 2, at[i % 2]! + by));
      const slope = (moved(h) - moved(-h)) / (2 * h);
      // Truncation: h² / 6 of a third derivative no larger than the terms are; rounding: eight of 2⁻⁵³ in each term, over h.
      const bound = lossSize(gaussian, example) * ((h * h) / 6 + (8 * 2 ** -53) / h);
      assert.ok(Math.abs(value - slope) <= bound, `gradient ${i}: ${value}, slope ${slope} ± ${bound}`);
    });
  });

  test(`${name}: an example's bits do not depend on the others`, () => {
    const gaussian = sampleGaussian(2, { examples: 3, samples: 2, latent: 5 }, analytic);
    const { z, kl } = forward(gaussian);
    const gradient = backward(gaussian);
    for (let example = 0; example < 3; example++) {
      const part = (values: Float32Array) => values.slice(example * 10, (example + 1) * 10);
      const { posterior, epsilon, dz } = gaussian;
      const alone = {
        ...gaussian,
        examples: 1,
        posterior: part(posterior),
        epsilon: part(epsilon),
        dz: part(dz),
      };
      assertSameBits(forward(alone).z, part(z), 'z');
      assert.equal(forward(alone).kl[0], kl[example]);
      assertSameBits(backward(alone), part(gradient), 'gradient');
    }
  });

  test(`${name}: a NaN makes its example's KL NaN, and no other`, () => {
    for (const place of [10 + 1, 10 + 5 + 1]) {
      const gaussian = sampleGaussian(3, { examples: 3, samples: 1, latent: 5 }, analytic);
      gaussian.posterior[place] = Number.NaN;
      assert.deepEqual(Array.from(forward(gaussian).kl, Number.isNaN), [false, true, false]);
    }
  });
}

/** Sum of the magnitudes of all that is added up in the loss. */
function lossSize({ posterior, epsilon, dz, latent, samples }: GaussianCase, example: number): number {
  let size = 0;
  for (let j = 0; j < latent; j++) {
    const mu = Math.abs(posterior[example * 2 * latent + j]!);
    const logvar = posterior[example * 2 * latent + latent + j]!;
    size += mu ** 2 + Math.exp(logvar) + Math.abs(logvar) + 1;
    for (let k = 0; k < samples; k++) {
      const place = (example * samples + k) * latent + j;
      const [noise, slope] = [Math.abs(epsilon[place]!), Math.abs(dz[place]!)];
      const z = mu + Math.exp(0.5 * logvar) * noise;
      size += slope * z + z ** 2 + noise ** 2 + Math.abs(logvar);
    }
  }
  return size;
}

test('the prior itself has no KL and no gradient of it', () => {
  const latent = 5;
  const gaussian: GaussianCase = {
    ...sampleGaussian(4, { examples: 1, samples: 1, latent }, true),
    posterior: new Float32Array(2 * latent),
    dz: new Float32Array(latent),
  };
  assert.equal(forward(gaussian).kl[0], 0);
  assertSameBits(
    forward(gaussian).z,
    gaussian.epsilon.map((noise) => noise + 0),
    'z',
  );
  assertSameBits(backward(gaussian), new Float32Array(2 * latent), 'gradient');
});
