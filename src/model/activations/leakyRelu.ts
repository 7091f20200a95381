import { numberIn, rangeOf } from '../hyperparameter.js';
import type { Activation } from './activation.js';

/** Above 0, so that the output has the input's sign, of which the gradient is a function. */
const slope = numberIn(rangeOf('a number above 0 and at most 1', { above: 0, upTo: 1 }));

/** x where x > 0, else slope · x. The default slope is Keras's. */
export const leakyRelu: Activation<{ readonly slope: number }> = {
  stem: 'leaky_re_lu',
  describe: 'x where x > 0, else slope · x',
  settings: { slope: { read: slope, default: 0.3 } },
  density: 1,
  keepsZero: true,
  gradientNeeds: 'output',
  forward: (kernels, y, count, settings) => kernels.leakyReluForward(y, count, settings.slope),
  backward: (kernels, y, dy, count, settings) => kernels.leakyReluBackward(y, dy, count, settings.slope),
};
