import { activationOf } from '../../../model/activations/registry.js';
import type { ActivationLayer } from '../../../model/model.js';
import { tensorActivationOf } from '../activations/registry.js';
import { customGradient } from '../customGradient.js';
import type { LayerKind } from './step.js';

export const activation: LayerKind<ActivationLayer> = (layer, { runtime: { tf } }, needed) => {
  const { forward, gradient } = tensorActivationOf(layer.activation);
  const { gradientNeeds } = activationOf(layer.activation);
  const settings = layer.settings ?? {};
  return {
    step: (input) =>
      customGradient(tf, [input], (save) => {
        const value = forward(tf, input, settings);
        save(gradientNeeds === 'input' ? input : value);
        return { value, gradients: (d, [saved]) => [gradient(tf, d, saved!, settings)] };
      }),
    layers: 1,
    needed,
  };
};
