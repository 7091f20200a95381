import type { ActivationFields, ActivationName } from '../activations/registry.js';
import { described, objectOf, oneOf, positiveIntegerOr } from '../jsonReader.js';
import { sizeOf } from '../layout.js';
import type { CorrelationLayer } from '../model.js';
import { withActivation } from './activation.js';
import { activation, layerName } from './fields.js';
import { type LayerContext, type LayerType, unfit } from './layerType.js';
import { layerParameters } from './parameters.js';

export interface DenseSpec {
  readonly type: 'dense';
  /**
   * Output units. `posterior` (encoder only) is 2·latent: the means and log-variances of q(z|x);
   * `pixels` (decoder only) is D: height · width · channels of the data.
   */
  readonly units: number | 'posterior' | 'pixels';
  readonly activation?: ActivationName | ActivationFields;
  readonly name?: string;
}

export const dense: LayerType<DenseSpec> = {
  type: 'dense',
  stem: 'dense',
  describe: 'A dense layer with a bias: from a vector to a vector',
  weighted: true,
  read: objectOf(
    {
      type: oneOf(['dense']),
      units: described(
        positiveIntegerOr('posterior', 'pixels'),
        'Outputs. "posterior" (encoder) is 2·latent, "pixels" (decoder) the values of an example',
      ),
    },
    { activation, name: layerName },
  ),
  resolve: (spec, context) => withActivation(correlation(spec, context), spec.activation),
};

function correlation(spec: DenseSpec, context: LayerContext): CorrelationLayer {
  const { name, shape: input } = context;
  if (input.length !== 1) {
    throw unfit(
      context,
      `takes a vector, but its input is the map [${input.join(', ')}]; put a flatten layer before it, which makes ` +
        `it [${sizeOf(input)}]`,
    );
  }
  const [inputs, outputs] = [input[0]!, units(spec.units, context)];
  return {
    kind: 'correlation',
    type: 'dense',
    name,
    input,
    output: [outputs],
    big: [1, 1, inputs],
    small: [1, 1, outputs],
    kernel: [1, 1],
    strides: [1, 1],
    padding: [0, 0],
    ...layerParameters(context, spec.type, [inputs, outputs], outputs),
  };
}

function units(wanted: DenseSpec['units'], context: LayerContext): number {
  if (typeof wanted === 'number') return wanted;
  const [owner, count] =
    wanted === 'posterior'
      ? (['encoder', 2 * context.latent] as const)
      : (['decoder', sizeOf(context.input)] as const);
  if (context.side !== owner)
    throw unfit(context, `has units "${wanted}", which only a layer of the ${owner} can have`);
  return count;
}
