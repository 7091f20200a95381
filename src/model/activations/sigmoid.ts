import type { Activation } from './activation.js';

/** 1 / (1 + e^−x). */
export const sigmoid: Activation = {
  stem: 'sigmoid',
  describe: '1 / (1 + e^−x)',
  settings: {},
  density: 1,
  keepsZero: false,
  gradientNeeds: 'output',
  forward: (kernels, y, count) => kernels.sigmoidForward(y, count),
  backward: (kernels, y, dy, count) => kernels.sigmoidBackward(y, dy, count),
};
