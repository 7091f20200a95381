import type { Activation } from './activation.js';

/** x · sigmoid(x). */
export const silu: Activation = {
  stem: 'silu',
  describe: 'x · sigmoid(x)',
  settings: {},
  density: 1,
  keepsZero: true,
  gradientNeeds: 'input',
  forward: (kernels, x, y, count) => kernels.siluForward(x, y, count),
  backward: (kernels, x, dy, dx, count) => kernels.siluBackward(x, dy, dx, count),
};
