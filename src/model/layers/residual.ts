import { type JsonReader, objectOf, oneOf, type Place, withSchema } from '../jsonReader.js';
import { layerName } from './fields.js';
import { LAYERS_SCHEMA, type LayerFields, type LayerType, unfit } from './layerType.js';

/** x + layers(x). */
export interface ResidualSpec<L extends LayerFields = LayerFields> {
  readonly type: 'residual';
  readonly layers: readonly L[];
  readonly name?: string;
}

/** For the schema alone: the registry brings the reader. */
const layersByName = withSchema<readonly LayerFields[]>(LAYERS_SCHEMA, () => []);

const fields = (layers: JsonReader<readonly LayerFields[]>) =>
  objectOf({ type: oneOf(['residual']), layers }, { name: layerName });

export const residual: LayerType<ResidualSpec> = {
  type: 'residual',
  stem: 'residual',
  describe: 'Its input plus what its layers make of it: they end in the shape that they begin with',
  read: Object.assign(
    (value: unknown, place: Place, layers: JsonReader<readonly LayerFields[]>) =>
      fields(layers)(value, place),
    { schema: fields(layersByName).schema },
  ),
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
