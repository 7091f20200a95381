import type { Reader } from '../jsonReader.js';
import type { Activation } from './activation.js';

/** Above 0, so that the output has the input's sign, of which the gradient is a function. */
const slope: Reader<number> = (value, place) => {
  if (typeof value !== 'number' || !(value > 0 && value <= 1)) {
    throw place.expected(value, 'a number above 0 and at most 1');
  }
  return value;
};

/** x where x > 0, else slope · x. The default slope is Keras's. */
export const leakyRelu: Activation<{ readonly slope: number }> = {
  stem: 'leaky_re_lu',
  settings: { slope: { read: slope, default: 0.3 } },
  density: 1,
  keepsZero: true,
  gradientNeeds: 'output',
  forward: (kernels, y, count, settings) => kernels.leakyReluForward(y, count, settings.slope),
  backward: (kernels, y, dy, count, settings) => kernels.leakyReluBackward(y, dy, count, settings.slope),
};
