// Models small enough to move every parameter, and numbers to put into them.

import type { CorrelationLayer, MapShape, Model } from '#src/model/model.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import { uniform } from './uniform.js';

const convolutional: ModelSpec = {
  name: 'convolutional',
  input: [6, 5, 2],
  latent: 2,
  encoder: [
    { type: 'conv2d', filters: 3, kernel: 3, strides: 2, padding: 'same', activation: 'relu' },
    { type: 'conv2d', filters: 2, kernel: [1, 2], activation: 'tanh' },
    { type: 'flatten' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 3 * 5 * 2, activation: 'tanh' },
    { type: 'reshape', shape: [3, 5, 2] },
    { type: 'conv2dTranspose', filters: 3, kernel: 3, strides: [2, 1], padding: 'same', activation: 'relu' },
    { type: 'conv2dTranspose', filters: 'channels', kernel: [2, 3], padding: 'same' },
  ],
};

const dense: ModelSpec = {
  name: 'dense',
  input: [2, 3, 1],
  latent: 3,
  encoder: [
    { type: 'flatten' },
    { type: 'dense', units: 7, activation: 'tanh' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 5, activation: 'relu' },
    { type: 'dense', units: 'pixels' },
  ],
};

/** Every layer that the two above lack, on maps with borders and without. */
const mixed: ModelSpec = {
  name: 'mixed',
  input: [6, 5, 2],
  latent: 2,
  encoder: [
    { type: 'conv2d', filters: 4, kernel: 3, padding: 'same', activation: 'gelu' },
    { type: 'maxPool', size: 3, strides: 2, padding: 'same' },
    {
      type: 'residual',
      layers: [
        { type: 'sigmoid' },
        { type: 'conv2d', filters: 4, kernel: 3, padding: 'same', activation: 'silu' },
        { type: 'conv2d', filters: 4, kernel: [2, 1], padding: 'same' },
      ],
    },
    { type: 'avgPool', size: 2, padding: 'same' },
    { type: 'flatten' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 3 * 5 * 2, activation: { type: 'leakyRelu', slope: 0.2 } },
    { type: 'reshape', shape: [3, 5, 2] },
    { type: 'upsample', size: [2, 1] },
    { type: 'conv2dTranspose', filters: 3, kernel: 3, padding: 'same', activation: 'sigmoid' },
    { type: 'residual', layers: [{ type: 'silu' }] },
    { type: 'conv2dTranspose', filters: 'channels', kernel: [2, 3], padding: 'same' },
  ],
};

/**
 * Layers with weights that are all dense, some inside of blocks, one of which reads the data: for
 * owner-computes steps.
 */
const blocks: ModelSpec = {
  name: 'blocks',
  input: [2, 3, 1],
  latent: 3,
  encoder: [
    { type: 'flatten' },
    {
      type: 'residual',
      layers: [
        { type: 'dense', units: 7, activation: 'silu' },
        { type: 'dense', units: 6 },
      ],
    },
    { type: 'leakyRelu' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 5, activation: 'gelu' },
    {
      type: 'residual',
      layers: [
        { type: 'tanh' },
        { type: 'residual', layers: [{ type: 'dense', units: 5, activation: 'sigmoid' }] },
        { type: 'dense', units: 5 },
      ],
    },
    { type: 'dense', units: 'pixels' },
  ],
};

export const smallSpecs: readonly ModelSpec[] = [convolutional, dense, mixed, blocks];

export const smallModels: readonly Model[] = smallSpecs.map((spec) => resolveModel(spec));

/** `length` numbers in [−limit, limit) that float32 holds exactly. */
export function draw(length: number, seed: number, limit = 1): Float64Array {
  const random = uniform(seed);
  return Float64Array.from({ length }, () => Math.fround(limit * random()));
}

/** Parameters within ±½, grey examples [n, D] in [0, 1), noise [n, K, d] within ±2. */
export function drawInputs(model: Model, n: number, samples: number, seed: number) {
  return {
    parameters: draw(model.parameters.size, seed, 1 / 2),
    x: draw(n * model.dimensions, seed + 1).map(Math.abs),
    epsilon: draw(n * samples * model.latent, seed + 2, 2),
  };
}

type Geometry = Omit<CorrelationLayer, 'kind' | 'name' | 'weights' | 'bias' | 'input' | 'output'>;

/** A correlation on its own, whose parameters are a flat buffer of weights, then bias. */
export function correlationLayer(geometry: Geometry): CorrelationLayer {
  const { type, big, small, kernel } = geometry;
  const [input, output] = type === 'conv2dTranspose' ? [small, big] : [big, small];
  const shape = (map: MapShape) => (type === 'dense' ? [map[2]] : map);
  const size = kernel[0] * kernel[1] * big[2] * small[2];
  const zeros = { kind: 'zeros' } as const;
  return {
    ...geometry,
    kind: 'correlation',
    name: type,
    input: shape(input),
    output: shape(output),
    weights: { name: 'weights', shape: [...kernel, big[2], small[2]], offset: 0, size, initializer: zeros },
    bias: { name: 'bias', shape: [output[2]], offset: size, size: output[2], initializer: zeros },
  };
}

/** Strides below, at and above the kernel, paddings on one side only, pixels that no tap reaches, dense. */
export const correlationLayers: readonly CorrelationLayer[] = (['conv2d', 'conv2dTranspose'] as const)
  .flatMap((type): Geometry[] => [
    { type, big: [5, 6, 2], small: [3, 2, 3], kernel: [3, 3], strides: [2, 2], padding: [1, 0] },
    { type, big: [4, 4, 1], small: [4, 4, 2], kernel: [3, 2], strides: [1, 1], padding: [1, 0] },
    { type, big: [7, 3, 2], small: [3, 2, 2], kernel: [1, 2], strides: [3, 1], padding: [0, 0] },
    { type, big: [3, 4, 1], small: [2, 3, 1], kernel: [4, 5], strides: [2, 1], padding: [2, 1] },
  ])
  .concat({
    type: 'dense',
    big: [1, 1, 5],
    small: [1, 1, 4],
    kernel: [1, 1],
    strides: [1, 1],
    padding: [0, 0],
  })
  .map(correlationLayer);

/** e.g. `conv2d 5,6,2 to 3,2,3`. */
export function layerTitle({ type, input, output }: CorrelationLayer): string {
  return `${type} ${input} to ${output}`;
}
