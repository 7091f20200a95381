import { definePrior, type Numbers, type PriorDensity } from './prior.js';

const LOG_2_PI = 1.8378770664093453;

/** p(z) = N(z; 0, I) (Kingma and Welling 2014). */
export const standardNormal = definePrior({
  title: 'standard normal',
  hyperparameters: {},
  inKernels: true,
  parameters: () => [],
  create: standardNormalDensity,
});

export function standardNormalDensity(latent: number): PriorDensity {
  return {
    latent,
    inKernels: true,
    uniforms: 0,
    refresh: () => {},
    logDensity: (z, row) => logStandardNormal(z, row, latent),
    gradient: (z, row, gradient) => {
      for (let i = row * latent; i < (row + 1) * latent; i++) gradient[i] = -z[i]!;
    },
    addParameterGradient: () => {},
    draw: () => {},
  };
}

/** log N(z; 0, I) of one row of z, nats. */
export function logStandardNormal(z: Numbers, row: number, latent: number): number {
  let squares = 0;
  for (let i = row * latent; i < (row + 1) * latent; i++) squares += z[i]! * z[i]!;
  return -(squares + latent * LOG_2_PI) / 2;
}
