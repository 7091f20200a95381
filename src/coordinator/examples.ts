import type { ImageSet } from '../data/source.js';
import { UsageError } from '../errors.js';

import { Arena } from '../kernels/arena.js';
import { bindKernels, compileKernels } from '../kernels/kernels.js';
import { Purpose, randomKey } from '../kernels/stream.js';
import { sharedMemory } from '../kernels/webAssembly.js';
import type { RunConfig } from '../runs/runConfig.js';
import { BINARIZE_MODE } from '../worker/shardInput.js';

const PAGE = 65536;

/**
 * Test examples as the run's evaluation sees them: binarised in the same way, by the same draws.
 * @param indices places in the test set.
 * @returns [indices.length, dimensions], in [0, 1].
 * @throws UsageError for an index outside the test set.
 */
export function testExamples(
  config: Pick<RunConfig, 'binarize' | 'seed'>,
  { count, height, width, channels, pixels }: ImageSet,
  indices: readonly number[],
): Float32Array {
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new UsageError(`There is no test example ${index}: the test set has examples 0 to ${count - 1}.`);
    }
  }
  const dimensions = height * width * channels;
  const arena = new Arena(0);
  const scratch = arena.reserve(64);
  const order = arena.reserve(Uint32Array.BYTES_PER_ELEMENT);
  const place = arena.reserve(Uint32Array.BYTES_PER_ELEMENT);
  const image = arena.reserve(dimensions);
  const out = arena.floats(dimensions);
  const pages = Math.ceil(arena.end / PAGE);
  const memory = sharedMemory(pages);
  const kernels = bindKernels(compileKernels('portable'), memory);
  const { low, high } = randomKey(BigInt(config.seed));
  const mode = BINARIZE_MODE[config.binarize];
  const examples = new Float32Array(indices.length * dimensions);
  indices.forEach((index, row) => {
    // The image's number in the set is part of its draw.
    new Uint32Array(memory.buffer, order, 1)[0] = index;
    const bytes = pixels.subarray(index * dimensions, (index + 1) * dimensions);
    new Uint8Array(memory.buffer, image, dimensions).set(bytes);
    kernels.binarize({
      mode,
      pixels: image,
      places: place,
      order,
      rows: 1,
      dimensions,
      out,
      key0: low,
      key1: high,
      step: 0,
      purpose: Purpose.evaluationBinarization,
      scratch,
    });
    examples.set(new Float32Array(memory.buffer, out, dimensions), row * dimensions);
  });
  return examples;
}
