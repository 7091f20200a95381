import type { Activation } from './activation.js';

export const tanh: Activation = {
  stem: 'tanh',
  describe: 'tanh x',
  settings: {},
  density: 1,
  keepsZero: true,
  gradientNeeds: 'output',
  forward: (kernels, y, count) => kernels.tanhForward(y, count),
  backward: (kernels, y, dy, count) => kernels.tanhBackward(y, dy, count),
};
