import { RELU_DENSITY } from '../../kernels/tuning.js';
import type { Activation } from './activation.js';

/** max(x, 0). */
export const relu: Activation = {
  stem: 're_lu',
  describe: 'max(x, 0)',
  settings: {},
  density: RELU_DENSITY,
  keepsZero: true,
  inEpilogue: true,
  gradientNeeds: 'output',
  forward: (kernels, y, count) => kernels.reluForward(y, count),
  backward: (kernels, y, dy, count) => kernels.reluBackward(y, dy, count),
};
