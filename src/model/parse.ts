// The spec's schema: from unknown JSON to ModelSpec.
import {
  described,
  documentOf,
  type JsonReader,
  objectOf,
  oneOf,
  Place,
  positiveInteger,
  positiveIntegers,
  withSchema,
} from './jsonReader.js';
import { layerName } from './layers/fields.js';
import { readLayers } from './layers/registry.js';
import type { MapShape } from './model.js';
import type { ModelSpec } from './spec.js';
import { readTrainingDefaults } from './trainingDefaults.js';

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

const threeIntegers = positiveIntegers([3], 'a list [height, width, channels]');

/** [height, width, channels]. */
export const readMapShape: JsonReader<MapShape> = withSchema(threeIntegers.schema, (value, place) => {
  const [height, width, channels] = threeIntegers(value, place);
  return [height!, width!, channels!];
});

/** A model's file, or the model of a config. */
export const readModel: JsonReader<ModelSpec> = documentOf(
  objectOf(
    {
      name: described(layerName, 'Names the directories of its runs'),
      latent: described(readLatent, 'd, the dimensions of z'),
      encoder: described(
        readLayers,
        'From an example [height, width, channels] to 2·latent values: means and log-variances of q(z|x)',
      ),
      decoder: described(readLayers, "From z to one output a pixel: the likelihood's logits or means"),
    },
    {
      input: described(readMapShape, 'Height, width, channels. Default: those of the data'),
      initialization: described(
        oneOf(['glorotUniform', 'fanInUniform']),
        'How weights and biases start: as in Keras (default), or as in PyTorch',
      ),
      outputBias: described(
        oneOf(['zeros', 'dataMean']),
        "Where the decoder's last bias starts: dataMean is the logit of each pixel's mean",
      ),
      training: described(readTrainingDefaults, 'What training uses where nobody says anything else'),
    },
    'a model: an object with name, latent, encoder and decoder',
  ),
);
