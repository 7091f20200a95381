import type {
  Activation,
  InPlaceActivation,
  SeparateActivation,
  Settings,
} from '../../../model/activations/activation.js';
import { activationOf } from '../../../model/activations/registry.js';
import { sizeOf } from '../../../model/layout.js';
import type { ActivationLayer } from '../../../model/model.js';
import { Tensor } from '../../../products/tensor.js';
import { copyTo, ownCopy } from './copy.js';
import type { Flow, LayerKind, Link } from './link.js';

const NO_SETTINGS: Settings = {};

export const activation: LayerKind<ActivationLayer> = {
  connect(layer, input) {
    const f = activationOf(layer.activation);
    const settings = layer.settings ?? NO_SETTINGS;
    const links = applied(f, input, settings);
    if (f.keepsZero) return links;
    // The zeros around its map are spoilt. Nobody reads them there: the next layer has a tensor of its own,
    // where they are zero.
    const { output } = links.at(-1)!;
    return [...links, copyTo(new Tensor(output.tensor.shape), output)];
  },
  floats: ({ activation, output }) => {
    const { gradientNeeds, keepsZero } = activationOf(activation);
    return gradientNeeds === 'output' && keepsZero ? 0 : sizeOf(output);
  },
};

function applied(f: Activation<Settings>, input: Flow, settings: Settings): Link[] {
  if (f.gradientNeeds === 'input') return [separateLink(f, input, settings)];
  if (!input.kept) return [inPlaceLink(f, input, settings)];
  const copy = ownCopy(input);
  return [copy, inPlaceLink(f, copy.output, settings)];
}

function inPlaceLink(f: InPlaceActivation<Settings>, input: Flow, settings: Settings): Link {
  const { tensor, gradient } = input;
  const fused = f.inEpilogue === true && input.fuseRelu !== undefined;
  if (fused) input.fuseRelu!();
  return {
    // Its gradient needs what it wrote.
    output: { tensor, kept: true, density: f.density, gradient },
    allocate: () => {},
    plan: () => ({
      forward: ({ kernels }, images) => {
        if (!fused) f.forward(kernels, tensor.activation, tensor.span(images), settings);
      },
      backward: ({ kernels }, images) => {
        if (gradient) f.backward(kernels, tensor.activation, tensor.gradient, tensor.span(images), settings);
      },
    }),
  };
}

/** Both tensors have the same border, so that one call passes over all images. */
function separateLink(f: SeparateActivation<Settings>, input: Flow, settings: Settings): Link {
  const { tensor: x, gradient } = input;
  const y = new Tensor(x.shape, x.border);
  return {
    output: { tensor: y, kept: false, density: f.density, gradient },
    allocate: ({ arena, images }) => y.allocate(arena, images),
    plan: () => ({
      forward: ({ kernels }, images) =>
        f.forward(kernels, x.activation, y.activation, x.span(images), settings),
      backward: ({ kernels }, images) => {
        if (gradient) f.backward(kernels, x.activation, y.gradient, x.gradient, x.span(images), settings);
      },
    }),
  };
}
