// flatten and reshape.
import { objectOf, oneOf, positiveIntegers } from '../jsonReader.js';
import { sizeOf } from '../layout.js';
import type { Shape } from '../model.js';
import { layerName } from './fields.js';
import { type LayerContext, type LayerType, unfit } from './layerType.js';

export interface FlattenSpec {
  readonly type: 'flatten';
  readonly name?: string;
}

export interface ReshapeSpec {
  readonly type: 'reshape';
  /** [n] or [height, width, channels]. */
  readonly shape: Shape;
  readonly name?: string;
}

export const flatten: LayerType<FlattenSpec> = {
  type: 'flatten',
  stem: 'flatten',
  describe: 'From a map to a vector: rows first, channels last',
  read: objectOf({ type: oneOf(['flatten']) }, { name: layerName }),
  resolve: (_, { name, shape }) => [{ kind: 'reshape', name, input: shape, output: [sizeOf(shape)] }],
};

export const reshape: LayerType<ReshapeSpec> = {
  type: 'reshape',
  stem: 'reshape',
  describe: 'Another shape of as many values',
  read: objectOf(
    {
      type: oneOf(['reshape']),
      shape: positiveIntegers([1, 3], 'a list [n] or [height, width, channels]'),
    },
    { name: layerName },
  ),
  resolve: (spec, context) => [
    { kind: 'reshape', name: context.name, input: context.shape, output: reshaped(spec, context) },
  ],
};

function reshaped(spec: ReshapeSpec, context: LayerContext): Shape {
  const [from, to] = [context.shape, spec.shape];
  if (sizeOf(from) !== sizeOf(to)) {
    throw unfit(
      context,
      `cannot give its input [${from.join(', ')}] (${sizeOf(from)} values) the shape [${to.join(', ')}] ` +
        `(${sizeOf(to)} values)`,
    );
  }
  return to;
}
