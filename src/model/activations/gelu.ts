import type { Activation } from './activation.js';

/** x · Φ(x), Φ the distribution function of N(0, 1). */
export const gelu: Activation = {
  stem: 'gelu',
  describe: 'x · Φ(x), with the distribution function Φ of N(0, 1)',
  settings: {},
  density: 1,
  keepsZero: true,
  gradientNeeds: 'input',
  forward: (kernels, x, y, count) => kernels.geluForward(x, y, count),
  backward: (kernels, x, dy, dx, count) => kernels.geluBackward(x, dy, dx, count),
};
