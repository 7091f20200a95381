import type { ModelSpec } from '#src/model/spec.js';
import type { Checkpoint } from '#src/runs/checkpoint.js';
import type { RunConfig } from '#src/runs/runConfig.js';

/** A model with every kind of layer that has weights. */
export const tinyModel: ModelSpec = {
  name: 'tiny',
  input: [4, 4, 1],
  latent: 2,
  encoder: [
    { type: 'conv2d', filters: 3, kernel: 3, strides: 2, padding: 'same', activation: 'relu' },
    { type: 'flatten' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 8, activation: 'tanh' },
    { type: 'reshape', shape: [2, 2, 2] },
    { type: 'conv2dTranspose', filters: 2, kernel: 3, strides: 2, padding: 'same', activation: 'relu' },
    { type: 'conv2dTranspose', filters: 'channels', kernel: 3, padding: 'same' },
  ],
};

export const tinyConfig: RunConfig = {
  formatVersion: 1,
  model: tinyModel,
  latent: 2,
  data: { source: 'mnist', fingerprint: 'ab12' },
  binarize: 'threshold',
  seed: '18446744073709551615',
  batchSize: 32,
  shards: 8,
  samples: 1,
  kl: 'analytic',
  beta: 1,
  klWarmupEpochs: 0,
  learningRate: 1e-4,
  adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  epochs: 10,
  arithmetic: 'portable',
  backend: 'simd',
};

/** Floats in weights and biases, layer by layer. */
export const tinySize = 3 * 3 * 3 + 3 + (12 * 4 + 4) + (2 * 8 + 8) + (3 * 3 * 2 * 2 + 2) + (3 * 3 * 2 + 1);

/**
 * Multiples of 2^-24 in [-1, 1), different for every salt: all are float32, and their sums are exact in
 * float64.
 */
export function exactFloats(length: number, salt: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (Math.imul(i + 1 + 1000 * salt, 0x9e3779b1) >> 7) / 2 ** 24);
}

export function tinyCheckpoint(step: number): Checkpoint {
  return {
    config: tinyConfig,
    step,
    epochSums: { examples: 32 * step, loss: 0.1 + step / 3 },
    parameters: exactFloats(tinySize, 3 * step),
    optimizerState: new Map([
      ['adam/m', exactFloats(tinySize, 3 * step + 1)],
      ['adam/v', exactFloats(tinySize, 3 * step + 2)],
    ]),
  };
}
