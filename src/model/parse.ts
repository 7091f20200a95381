// The spec's schema: from unknown JSON to ModelSpec.
import {
  entriesOf,
  listOf,
  objectOf,
  oneOf,
  Place,
  positiveInteger,
  positiveIntegerOr,
  positiveIntegers,
  positiveNumber,
  type Reader,
} from './jsonReader.js';
import type { MapShape } from './model.js';
import { nearestName } from './nearestName.js';
import type { Extent, LayerSpec, ModelSpec } from './spec.js';

const mostLayers = 1000;

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

const extent: Reader<Extent> = (value, place) => {
  const expectation = 'a positive integer or a list [rows, columns]';
  if (typeof value === 'number') return positiveInteger(value, place);
  const [rows, columns] = positiveIntegers([2], expectation)(value, place);
  return [rows!, columns!];
};

/** Names become parts of parameter names (`encoder/conv2d/weights`) and of file names. */
const name: Reader<string> = (value, place) => {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(value)) {
    throw place.expected(
      value,
      'a name of 1 to 64 letters, digits, "_", "-" and ".", first a letter or digit',
    );
  }
  return value;
};

const activation = oneOf(
  ['relu', 'tanh'],
  '; leave it out for a linear layer (the sigmoid over the last logits is part of the likelihood)',
);

const convolution = <const T extends string>(type: T) =>
  objectOf(
    { type: oneOf([type]), filters: positiveIntegerOr('channels'), kernel: extent },
    { strides: extent, padding: oneOf(['valid', 'same']), activation, name },
  );

const layerReaders: Readonly<Record<LayerSpec['type'], Reader<LayerSpec>>> = {
  conv2d: convolution('conv2d'),
  conv2dTranspose: convolution('conv2dTranspose'),
  dense: objectOf(
    { type: oneOf(['dense']), units: positiveIntegerOr('posterior', 'pixels') },
    { activation, name },
  ),
  relu: objectOf({ type: oneOf(['relu']) }, { name }),
  tanh: objectOf({ type: oneOf(['tanh']) }, { name }),
  flatten: objectOf({ type: oneOf(['flatten']) }, { name }),
  reshape: objectOf(
    {
      type: oneOf(['reshape']),
      shape: positiveIntegers([1, 3], 'a list [n] or [height, width, channels]'),
    },
    { name },
  ),
};

const layerTypes = Object.keys(layerReaders) as LayerSpec['type'][];

const layer: Reader<LayerSpec> = (value, place) => {
  const type = entriesOf(value, place, 'a layer: an object with a type').find(([key]) => key === 'type')?.[1];
  const known = layerTypes.find((candidate) => candidate === type);
  if (known !== undefined) return layerReaders[known](value, place);
  if (type === undefined)
    throw place.key('type').error(`is missing, expected one of ${layerTypes.join(', ')}`);
  const nearest = typeof type === 'string' ? nearestName(type, layerTypes) : undefined;
  const suggestion = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
  throw place.key('type').expected(type, `one of ${layerTypes.join(', ')}${suggestion}`);
};

const layers = listOf(layer, 'layers', mostLayers);

const readModel: Reader<ModelSpec> = objectOf(
  { name, latent: readLatent, encoder: layers, decoder: layers },
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
