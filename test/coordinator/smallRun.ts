// A data set and models small enough that whole runs take a fraction of a second.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSpec } from '#src/index.js';
import { idxBytes } from '../data/idxFiles.js';
import { draw } from '../reference/smallModels.js';

export const trainCount = 100;
export const testCount = 30;
const side = 8;

/** Writes 100 training and 30 test images of 8×8 grey pixels; returns the directory. */
export async function smallData(directory: string): Promise<string> {
  const data = join(directory, 'data');
  await mkdir(data);
  for (const [name, count, seed] of [
    ['train', trainCount, 1],
    ['t10k', testCount, 2],
  ] as const) {
    const pixels = Uint8Array.from(draw(count * side * side, seed), (value) =>
      Math.floor(256 * Math.abs(value)),
    );
    await writeFile(join(data, `${name}-images-idx3-ubyte`), idxBytes([count, side, side], pixels));
    await writeFile(join(data, `${name}-labels-idx1-ubyte`), idxBytes([count], new Uint8Array(count)));
  }
  return data;
}

/** A model with convolutions. */
export const smallModel: ModelSpec = {
  name: 'small',
  latent: 2,
  encoder: [
    { type: 'conv2d', filters: 4, kernel: 3, strides: 2, activation: 'relu' },
    { type: 'flatten' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 4 * 4 * 4, activation: 'tanh' },
    { type: 'reshape', shape: [4, 4, 4] },
    { type: 'conv2dTranspose', filters: 'channels', kernel: 3, strides: 2, padding: 'same' },
  ],
  training: { batchSize: 16, learningRate: 1e-2, epochs: 3, binarize: 'dynamic', samples: 2 },
};

/**
 * A model without a convolution: it goes by the owner-computes rule, smallModel by slots, and several of its
 * shards may be computed at once.
 */
export const denseModel: ModelSpec = {
  name: 'dense',
  latent: 3,
  encoder: [
    { type: 'flatten' },
    { type: 'dense', units: 33, activation: 'relu' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 20, activation: 'tanh' },
    { type: 'dense', units: 'pixels' },
  ],
};
