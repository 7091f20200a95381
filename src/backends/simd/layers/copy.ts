import type { Arena } from '../../../kernels/arena.js';
import { Tensor } from '../../../products/tensor.js';
import { planReshape, reshape } from '../reshape.js';
import type { Flow, LayerPass, Link } from './link.js';

/**
 * Hands a tensor on in another shape of the same size, or with other borders. Where neither has a border the
 * two share their memory, unless they have to be `separate`.
 */
export function copyTo(output: Tensor, input: Flow, { separate = false } = {}): Link {
  const from = input.tensor;
  const shares = () => !separate && !from.bordered && !output.bordered;
  const { density, gradient } = input;
  return {
    output: { tensor: output, kept: input.kept && !separate, density, gradient },
    allocate: ({ arena, images }) => {
      if (shares()) output.alias(from);
      else output.allocate(arena, images);
    },
    plan: ({ arena }) => (shares() ? nothing : copyPass(arena, from, output, gradient)),
  };
}

/** A tensor of the same values that may be overwritten, whatever borders either has. */
export function ownCopy(input: Flow): Link {
  return copyTo(new Tensor(input.tensor.shape), input, { separate: true });
}

const nothing: LayerPass = { forward: () => {}, backward: () => {} };

function copyPass(arena: Arena, from: Tensor, to: Tensor, gradient: boolean): LayerPass {
  const [there, back] = [planReshape(arena, from, to), planReshape(arena, to, from)];
  return {
    forward: ({ kernels }, images) => reshape(kernels, there, from.activation, to.activation, images),
    backward: ({ kernels }, images) => {
      if (gradient) reshape(kernels, back, to.gradient, from.gradient, images);
    },
  };
}
