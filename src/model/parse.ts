// The spec's schema: from unknown JSON to ModelSpec.
import { type FileHandle, open } from 'node:fs/promises';
import { UsageError } from '../errors.js';
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

/** No honest model file comes near it. */
const mostFileBytes = 1 << 20;

/**
 * Checks everything about `json` that can be told without knowing shapes.
 *
 * @param source what the messages call the document, e.g. the file's path.
 * @throws UsageError naming the place (`encoder[2].strides`), what was found and what is expected.
 */
export function parseModelSpec(json: unknown, source: string): ModelSpec {
  return readModel(json, new Place(source));
}

/** @throws UsageError where the file cannot be read, is too large, is no JSON, or is no model. */
export async function readModelSpecFile(path: string): Promise<ModelSpec> {
  const text = await readSmallText(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  return parseModelSpec(json, path);
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

async function readSmallText(path: string): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    return decode(await readAtMost(file, mostFileBytes, path), path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read the model file ${path}: ${(error as Error).message}.`);
  } finally {
    await file?.close();
  }
}

/** Reads to the end rather than trusting the file's size: pipes and devices have none. */
async function readAtMost(file: FileHandle, most: number, path: string): Promise<Uint8Array> {
  const buffer = new Uint8Array(most + 1);
  let length = 0;
  while (length <= most) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new UsageError(
    `The model file ${path} is larger than ${most} bytes; a model is a short list of layers.`,
  );
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${path} is not JSON: its bytes are not UTF-8 text.`);
  }
}
