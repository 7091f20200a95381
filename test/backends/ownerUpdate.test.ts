// A step by the owner-computes rule leaves the bits of gradients in slots, the all-reduce and the update.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileKernels } from '#src/kernels/kernels.js';
import { TILE_NAMES } from '#src/kernels/tiles/tile.js';
import type { Choice } from '#src/model/hyperparameter.js';
import type { Model } from '#src/model/model.js';
import { type PriorName, STANDARD_NORMAL } from '#src/model/priors/registry.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import { modes } from '../kernels/arithmeticMode.js';
import { ADAM_DEFAULTS } from '../kernels/scalarAdam.js';
import { type Outcome, type StepsCase, stepsByOwners, stepsInSlots } from './stepRules.js';

/** Dense layers between an image of so many pixels, the hidden ones, and the latent space. */
function denseModel(
  pixels: number,
  hidden: readonly number[],
  latent: number,
  prior: Choice<PriorName> = STANDARD_NORMAL,
): Model {
  const layers = hidden.map((units, i) => {
    return { type: 'dense', units, activation: i % 2 === 0 ? 'relu' : 'tanh' } as const;
  });
  const spec: ModelSpec = {
    name: 'dense',
    input: [1, pixels, 1],
    latent,
    encoder: [{ type: 'flatten' }, ...layers, { type: 'dense', units: 'posterior' }],
    decoder: [...layers.toReversed(), { type: 'dense', units: 'pixels' }],
  };
  return resolveModel(spec, { prior });
}

/**
 * Two latent dimensions: four columns and two rows go by dot products. 51 inputs: the last unit has three
 * rows.
 */
const dots = denseModel(51, [21, 9], 2);

/** 256 outputs: rows 1024 bytes apart, which collide in the caches. 48 inputs: a whole unit. */
const collisions = denseModel(48, [256, 17], 3);

/**
 * Wide enough for lists of nonzeros in every tile: of data, and of what a ReLU leaves of 100 units; 51
 * inputs, no multiple of sixteen.
 */
const lists = denseModel(51, [100, 84], 3);

/** The prior has more parameters than any layer has outputs, and no multiple of four of them. */
const mixture = denseModel(51, [21, 9], 2, { name: 'mixture', values: { priorComponents: 9 } });

/**
 * Blocks, one of which reads the data, activations that are not in place, and a pool: all layers with weights
 * are dense.
 */
const blocks = resolveModel({
  name: 'blocks',
  input: [1, 51, 1],
  latent: 3,
  encoder: [
    { type: 'flatten' },
    {
      type: 'residual',
      layers: [
        { type: 'dense', units: 100, activation: 'relu' },
        { type: 'dense', units: 51 },
      ],
    },
    { type: 'dense', units: 84, activation: 'gelu' },
    { type: 'residual', layers: [{ type: 'leakyRelu' }, { type: 'dense', units: 84 }] },
    // Keeps log-variances small.
    { type: 'tanh' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 84, activation: 'silu' },
    { type: 'reshape', shape: [2, 42, 1] },
    { type: 'maxPool', size: [2, 1] },
    { type: 'flatten' },
    {
      type: 'residual',
      layers: [
        { type: 'dense', units: 9, activation: 'sigmoid' },
        { type: 'dense', units: 42, activation: 'relu' },
      ],
    },
    { type: 'dense', units: 'pixels' },
  ],
});

const cases: Readonly<Record<string, StepsCase>> = {
  'few rows, read in place, then fewer': {
    ...{ model: dots, batches: [4, 4, 2], shards: 3, samples: 1, kl: 'analytic' },
  },
  'some rows, in uneven shards': {
    ...{ model: dots, batches: [13, 13, 6], shards: 5, samples: 1, kl: 'analytic' },
  },
  'many rows, copied panels, then few': {
    ...{ model: dots, batches: [85, 40, 3], shards: 8, samples: 1, kl: 'analytic' },
  },
  'shards and ranks without examples': {
    ...{ model: dots, batches: [3, 1], shards: 8, samples: 1, kl: 'monteCarlo' },
  },
  'three samples, Monte-Carlo KL': {
    ...{ model: dots, batches: [13, 11], shards: 7, samples: 3, kl: 'monteCarlo' },
  },
  'colliding rows of weights': {
    ...{ model: collisions, batches: [4, 3], shards: 4, samples: 1, kl: 'analytic' },
  },
  'lists of what is not black': {
    ...{ model: lists, batches: [27, 27, 5], shards: 8, samples: 1, kl: 'analytic', density: 0.2 },
  },
  'lists of very little': {
    ...{ model: lists, batches: [27, 9], shards: 7, samples: 2, kl: 'analytic', density: 0.02 },
  },
  'too much for lists': {
    ...{ model: lists, batches: [27, 20], shards: 3, samples: 1, kl: 'analytic', density: 0.9 },
  },
  'residual blocks': {
    ...{ model: blocks, batches: [27, 13, 4], shards: 8, samples: 2, kl: 'analytic', density: 0.2 },
  },
  'IWAE bound, five samples, Gaussian likelihood, AdamW': {
    ...{ model: dots, batches: [13, 11], shards: 7, samples: 5, kl: 'monteCarlo', objective: 'iwae' },
    likelihood: { name: 'gaussian', values: { sigma: 0.3 } },
    optimizer: { name: 'adamw', values: { ...ADAM_DEFAULTS, weightDecay: 0.2 } },
  },
  'IWAE bound, SGD with momentum': {
    ...{ model: lists, batches: [9, 5], shards: 8, samples: 3, kl: 'monteCarlo', objective: 'iwae' },
    ...{ density: 0.2, optimizer: { name: 'sgd', values: { momentum: 0.9 } } },
  },
  'SGD without momentum': {
    ...{ model: dots, batches: [13, 6], shards: 5, samples: 1, kl: 'analytic' },
    optimizer: { name: 'sgd', values: { momentum: 0 } },
  },
  'decoder trained on draws that HMC refines': {
    ...{ model: lists, batches: [27, 13, 4], shards: 8, samples: 2, kl: 'analytic', density: 0.2 },
    inference: { name: 'hmc', values: { hmcTransitions: 2, hmcLeapfrogSteps: 3, hmcStepSize: 0.2 } },
  },
  'mixture prior': {
    ...{ model: mixture, batches: [13, 11, 2], shards: 7, samples: 1, kl: 'monteCarlo' },
  },
  'mixture prior, IWAE bound, five samples': {
    ...{ model: mixture, batches: [27, 5], shards: 8, samples: 5, kl: 'monteCarlo', objective: 'iwae' },
  },
  'mixture prior, decoder trained on draws that HMC refines': {
    ...{ model: mixture, batches: [13, 4], shards: 3, samples: 2, kl: 'monteCarlo' },
    inference: { name: 'hmc', values: { hmcTransitions: 2, hmcLeapfrogSteps: 3, hmcStepSize: 0.2 } },
  },
  'colliding rows, three samples': {
    ...{ model: collisions, batches: [31, 7], shards: 3, samples: 3, kl: 'analytic' },
  },
};

/** In which 1, 2 and 3 ranks update: none needs what another one's update leaves. */
const orders = [[0], [0, 1], [1, 0], [2, 0, 1]];

for (const { arithmetic, skip } of modes) {
  describe(`${arithmetic}: steps by the owner-computes rule`, { skip }, () => {
    for (const [name, steps] of Object.entries(cases)) {
      test(`${name}: the bits of slots and all-reduce on 1, 2 and 3 ranks, on every tile`, () => {
        const module = compileKernels(arithmetic);
        const expected = stepsInSlots(steps, module, '4x8');
        assertFinite(expected);
        for (const tile of TILE_NAMES) {
          for (const order of orders) {
            for (const claims of ['own', 'all'] as const) {
              const actual = stepsByOwners(steps, module, tile, order, claims);
              assert.deepEqual(
                actual,
                expected,
                `${tile}, ranks update in the order ${order}, claims: ${claims}`,
              );
            }
          }
        }
      });
    }
  });
}

function assertFinite(outcome: Outcome): void {
  const { state, ...rest } = outcome;
  for (const [name, values] of [...Object.entries(rest), ...Object.entries(state)]) {
    assert.ok(values.length > 0 && values.every(Number.isFinite), name);
  }
}
