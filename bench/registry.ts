// Every kernel at every shape at which the three models use it. Benchmarks time the cases, tests verify them
// and that none is missing.

import { microBatchSize, ownerComputes } from '#src/backends/simd/engine.js';
import type { Layer, Model } from '#src/model/model.js';
import { presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import { correlationCases, type Place } from './correlationCases.js';
import { denseCases } from './denseCases.js';
import { elementwiseCases } from './elementwiseCases.js';
import type { KernelCase } from './kernelCase.js';
import { layerCases } from './layerCases.js';
import { listCases } from './listCases.js';
import { updateCases } from './updateCases.js';

const SHARDS = 8;

/** At which the models are timed: cvae's own 32 would leave its shards 4 images each. */
export const BATCH_SIZES = { cvae: 128, mlp: 128, iwae: 20 } as const;

/**
 * Shares that are not zero: of each model's data, grey pixels or black and white ones, and of what a ReLU
 * leaves.
 */
const DATA_DENSITY = { cvae: 0.13, mlp: 0.2, iwae: 0.13 } as const;
const RELU_DENSITY = 0.5;

/** Images of the layers that no model has: their maps take 400 KB. */
const OTHER_LAYERS_IMAGES = 16;

export interface RegistryOptions {
  /** Most images at a time, where a test has no time for what the engine takes. */
  readonly mostImages?: number;
  /** The same for the steps by the owner-computes rule, which take all examples of a rank at once. */
  readonly mostExamples?: number;
}

/** The cases of all three models on MNIST's shapes, K = 1, and of the layers that none of them has. */
export function kernelCases({
  mostImages = Number.POSITIVE_INFINITY,
  mostExamples = Number.POSITIVE_INFINITY,
}: RegistryOptions = {}): KernelCase[] {
  const ofModels = presetNames.flatMap((name) => {
    const spec = presetSpec(name, [28, 28, 1]);
    const model = resolveModel({ ...spec, input: [28, 28, 1] }, { latent: spec.latent });
    const shardSize = Math.ceil(BATCH_SIZES[name] / SHARDS);
    const images = Math.min(mostImages, microBatchSize(model, 1, shardSize));
    const binarize = spec.training?.binarize ?? 'threshold';
    const owned = ownerComputes(model, 1, BATCH_SIZES[name]);
    const examples = Math.min(mostExamples, BATCH_SIZES[name]);
    return [
      ...places(model, images).flatMap(correlationCases),
      ...(owned ? places(model, examples).flatMap((place) => ownedCases(place, DATA_DENSITY[name])) : []),
      ...elementwiseCases({ model, images }),
      ...updateCases({ model, binarize, shardSize: Math.min(mostImages, shardSize) }),
    ];
  });
  return [...ofModels, ...layerCases(Math.min(mostImages, OTHER_LAYERS_IMAGES))];
}

/** The cases of a dense layer in a step by the owner-computes rule. */
function ownedCases(place: ModelPlace, dataDensity: number): KernelCase[] {
  const density = !place.inputGradient ? dataDensity : place.behindRelu ? RELU_DENSITY : 1;
  return [...denseCases(place, SHARDS), ...(density < 1 ? listCases({ ...place, density }, SHARDS) : [])];
}

interface ModelPlace extends Place {
  /** Whether its input is what a ReLU leaves. */
  readonly behindRelu: boolean;
}

/** The layers with weights. */
function places(model: Model, images: number): ModelPlace[] {
  const firstWeighted = model.encoder.find(({ kind }) => kind === 'correlation');
  return (['encoder', 'decoder'] as const).flatMap((side) =>
    model[side].flatMap((layer, i) => {
      if (layer.kind !== 'correlation') return [];
      return {
        model: model.name,
        name: `${side}/${layer.name}`,
        layer,
        relu: isRelu(model[side][i + 1]),
        behindRelu: isRelu(model[side][i - 1]),
        images,
        inputGradient: layer !== firstWeighted,
      };
    }),
  );
}

function isRelu(layer: Layer | undefined): boolean {
  return layer?.kind === 'activation' && layer.activation === 'relu';
}
