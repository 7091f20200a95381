// Approximate posteriors, placed in memory and run through the kernels.

import { sampleFloats, words } from './float32.js';
import { KernelHarness } from './kernelHarness.js';

export const kinds = ['analytic', 'monteCarlo'] as const;

export interface Size {
  readonly examples: number;
  readonly samples: number;
  readonly latent: number;
}

export interface GaussianCase extends Size {
  readonly kind: (typeof kinds)[number];
  readonly beta: number;
  /** [examples, 2 · latent]. */
  readonly posterior: Float32Array;
  /** [examples, samples, latent]. */
  readonly epsilon: Float32Array;
  /** [examples, samples, latent]: gradient of the reconstruction term with respect to z. */
  readonly dz: Float32Array;
}

/** Log-variances on all of ±20. */
export function sampleGaussian(
  seed: number,
  size: Size,
  kind: GaussianCase['kind'],
  beta = 0.75,
): GaussianCase {
  const { examples, samples, latent } = size;
  const next = words(seed);
  const posterior = sampleFloats(seed, examples * 2 * latent).map((value, i) =>
    i % (2 * latent) < latent ? value : 40 * (next() / 2 ** 32 - 0.5),
  );
  const count = examples * samples * latent;
  const epsilon = sampleFloats(seed + 1, count);
  return { ...size, kind, beta, posterior, epsilon, dz: sampleFloats(seed + 2, count) };
}

const harness = new KernelHarness();

export function forward({ posterior, epsilon, examples, samples, latent, kind }: GaussianCase): {
  z: Float32Array;
  kl: Float64Array;
} {
  harness.reset();
  const [q, noise] = [harness.input(posterior), harness.input(epsilon)];
  const z = harness.output(epsilon.byteLength);
  const kl = harness.output(examples * Float64Array.BYTES_PER_ELEMENT);
  const analytic = kind === 'analytic' ? 1 : 0;
  harness.run((kernels) =>
    kernels.gaussianForward({ posterior: q, epsilon: noise, z, examples, samples, latent, analytic, kl }),
  );
  return { z: harness.floats(z, epsilon.length), kl: harness.doubles(kl, examples) };
}

/** dPosterior, [examples, 2 · latent], given z as `forward` had it. */
export function backward(gaussian: GaussianCase, z: Float32Array): Float32Array {
  const { posterior, epsilon, dz, examples, samples, latent, kind, beta } = gaussian;
  harness.reset();
  const place = (values: Float32Array) => harness.input(values);
  const [q, noise, sampled, gradient] = [place(posterior), place(epsilon), place(z), place(dz)];
  const out = harness.output(posterior.byteLength);
  const analytic = kind === 'analytic' ? 1 : 0;
  harness.run((kernels) =>
    kernels.gaussianBackward({
      posterior: q,
      epsilon: noise,
      z: sampled,
      dz: gradient,
      dPosterior: out,
      examples,
      samples,
      latent,
      analytic,
      beta,
    }),
  );
  return harness.floats(out, posterior.length);
}
