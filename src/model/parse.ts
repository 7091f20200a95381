// The spec's schema: from unknown JSON to ModelSpec.
import {
  objectOf,
  oneOf,
  Place,
  positiveInteger,
  positiveIntegers,
  positiveNumber,
  type Reader,
} from './jsonReader.js';
import { layerName } from './layers/fields.js';
import { readLayers } from './layers/registry.js';
import type { MapShape } from './model.js';
import type { ModelSpec } from './spec.js';

/**
 * Checks everything about `json` that can be told without knowing shapes.
 *
 * @param source what the messages call the document, e.g. the file's path.
 * @throws UsageError naming the place (`encoder[2].strides`), what was found and what is expected.
 */
export function parseModelSpec(json: unknown, source: string): ModelSpec {
  return readModel(json, new Place(source));
}

export const readLatent = positiveInteger;

/** [height, width, channels]. */
export const readMapShape: Reader<MapShape> = (value, place) => {
  const [height, width, channels] = positiveIntegers([3], 'a list [height, width, channels]')(value, place);
  return [height!, width!, channels!];
};

const readModel: Reader<ModelSpec> = objectOf(
  { name: layerName, latent: readLatent, encoder: readLayers, decoder: readLayers },
  {
    input: readMapShape,
    initialization: oneOf(['glorotUniform', 'fanInUniform']),
    outputBias: oneOf(['zeros', 'dataMean']),
    training: objectOf(
      {},
      {
        batchSize: positiveInteger,
        learningRate: positiveNumber,
        epochs: positiveInteger,
        binarize: oneOf(['threshold', 'dynamic', 'static', 'none']),
        samples: positiveInteger,
      },
    ),
  },
  'a model: an object with name, latent, encoder and decoder',
);
