import { objectOf, oneOf } from '../jsonReader.js';
import { layerName } from './fields.js';
import { type LayerFields, type LayerType, unfit } from './layerType.js';

/** x + layers(x). */
export interface ResidualSpec<L extends LayerFields = LayerFields> {
  readonly type: 'residual';
  readonly layers: readonly L[];
  readonly name?: string;
}

export const residual: LayerType<ResidualSpec> = {
  type: 'residual',
  stem: 'residual',
  read: (value, place, layers) =>
    objectOf({ type: oneOf(['residual']), layers }, { name: layerName })(value, place),
  resolve: (spec, context) => {
    const { name, shape } = context;
    const layers = context.resolveInside(spec.layers);
    const output = layers.at(-1)!.output;
    if (`${output}` !== `${shape}`) {
      throw unfit(
        context,
        `adds its input [${shape.join(', ')}] to what its layers make of it, but they end in [${output.join(', ')}]; ` +
          `make them end in the shape that they begin with`,
      );
    }
    return [{ kind: 'residual', name, input: shape, output: shape, layers }];
  },
};
