// The only place where names of layers become implementations. The type LayerSpec and the reader of layers
// follow from it.

import { nearestName } from '../../nearestName.js';
import { type ActivationName, activationNames } from '../activations/registry.js';
import { entriesOf, type JsonReader, type JsonSchema, listOf, withSchema } from '../jsonReader.js';
import { type ActivationSpec, activationType } from './activation.js';
import { conv2d, conv2dTranspose } from './convolution.js';
import { dense } from './dense.js';
import { LAYERS_SCHEMA, type LayerFields, type LayerType } from './layerType.js';
import { avgPool, maxPool } from './pooling.js';
import { flatten, reshape } from './reshape.js';
import { type ResidualSpec, residual } from './residual.js';
import { upsample } from './upsample.js';

const activations = Object.fromEntries(activationNames.map((name) => [name, activationType(name)])) as {
  readonly [N in ActivationName]: LayerType<ActivationSpec>;
};

const LAYER_TYPES = {
  ...{ conv2d, conv2dTranspose, dense },
  ...activations,
  ...{ flatten, reshape, maxPool, avgPool, upsample, residual },
} as const;

type LayerTypeName = keyof typeof LAYER_TYPES;
type SpecOf<T> = T extends LayerType<infer S> ? S : never;

/** A layer as JSON has it: docs/models.md. */
export type LayerSpec =
  | Exclude<SpecOf<(typeof LAYER_TYPES)[LayerTypeName]>, ResidualSpec>
  | ResidualSpec<LayerSpec>;

export const layerTypeNames = Object.keys(LAYER_TYPES) as readonly LayerTypeName[];

/** Called with specs that `readLayers` has read, each of which has the type's own fields. */
export function layerTypeOf({ type }: LayerFields): LayerType<LayerFields> {
  return LAYER_TYPES[type as LayerTypeName] as LayerType<LayerFields>;
}

/** Whether the layer, or one inside of it, has weights. */
export function hasWeights(spec: LayerFields): boolean {
  return layerTypeOf(spec).weighted === true || insideOf(spec).some(hasWeights);
}

function insideOf(spec: LayerFields): readonly LayerFields[] {
  return (spec as Partial<ResidualSpec>).layers ?? [];
}

/** The names of layer types that have weights. */
export const weightedTypeNames = layerTypeNames.filter((type) => LAYER_TYPES[type].weighted === true);

const MOST_LAYERS = 1000;
const MOST_LEVELS = 16;

/** A list of layers. */
export const readLayers: JsonReader<readonly LayerSpec[]> = withSchema(LAYERS_SCHEMA, layersReader(1));

/** What LAYERS_SCHEMA refers to: the `$defs` of a document with layers. */
export const layerDefinitions: Readonly<Record<string, JsonSchema>> = {
  layers: layersReader(1).schema,
  layer: { anyOf: layerTypeNames.map((type) => ({ $ref: `#/$defs/${type}` })) },
  ...Object.fromEntries(
    layerTypeNames.map((type): [string, JsonSchema] => {
      const { describe, read } = LAYER_TYPES[type];
      return [type, { title: type, description: describe, ...read.schema }];
    }),
  ),
};

/** @param level of lists inside of lists, from 1. */
function layersReader(level: number): JsonReader<readonly LayerSpec[]> {
  const inside = withSchema<readonly LayerSpec[]>(LAYERS_SCHEMA, (value, place) => {
    if (level === MOST_LEVELS)
      throw place.error(`is a list inside of ${level} others, more than ${MOST_LEVELS - 1}`);
    return layersReader(level + 1)(value, place);
  });
  const layer = withSchema<LayerSpec>({ $ref: '#/$defs/layer' }, (value, place) => {
    const type = entriesOf(value, place, 'a layer: an object with a type').find(
      ([key]) => key === 'type',
    )?.[1];
    const known = layerTypeNames.find((candidate) => candidate === type);
    if (known !== undefined) return LAYER_TYPES[known].read(value, place, inside) as LayerSpec;
    if (type === undefined)
      throw place.key('type').error(`is missing, expected one of ${layerTypeNames.join(', ')}`);
    const nearest = typeof type === 'string' ? nearestName(type, layerTypeNames) : undefined;
    const suggestion = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
    throw place.key('type').expected(type, `one of ${layerTypeNames.join(', ')}${suggestion}`);
  });
  return listOf(layer, 'layers', MOST_LAYERS);
}
