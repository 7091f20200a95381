import type { ResidualLayer } from '../../../model/model.js';
import { customGradient } from '../customGradient.js';
import type { LayerKind } from './step.js';

export const residual: LayerKind<ResidualLayer> = (layer, context, needed) => {
  const { tf } = context.runtime;
  const branch = context.connect(layer.layers, context, needed);
  return {
    step: (input, parameters, bounds) => {
      const end = branch.step(input, parameters, bounds);
      // Only what needs a gradient is an input: the tape would keep the others.
      const inputs = needed ? [input, end] : [end];
      return customGradient(tf, inputs, () => ({
        value: tf.add(input, end),
        gradients: (d) => inputs.map(() => tf.clone(d)),
      }));
    },
    layers: 1,
    needed: branch.needed,
  };
};
