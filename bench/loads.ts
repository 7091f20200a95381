// What steps are timed of, and the operations of a step.

import { layerMultiplyAdds } from '#src/model/layers/kinds.js';
import type { Model } from '#src/model/model.js';
import type { Request } from './section.js';

export interface StepLoad {
  readonly model: 'cvae' | 'mlp' | 'iwae';
  readonly batchSize: number;
  /** K. */
  readonly samples: number;
}

const LOADS: readonly StepLoad[] = [
  { model: 'cvae', batchSize: 128, samples: 1 },
  { model: 'cvae', batchSize: 32, samples: 1 },
  { model: 'mlp', batchSize: 128, samples: 1 },
  { model: 'iwae', batchSize: 20, samples: 1 },
  { model: 'iwae', batchSize: 20, samples: 5 },
];

/** Those that the request asks for; another batch size than theirs where it names one. */
export function requestedLoads({ model, batchSize }: Request): StepLoad[] {
  const loads = LOADS.filter((load) => load.model === (model ?? load.model));
  if (batchSize === undefined) return loads;
  const first = loads.filter((load, i) => loads.findIndex((other) => other.model === load.model) === i);
  return first.map((load) => ({ ...load, batchSize }));
}

/**
 * Floating-point operations of a training step on one example: three passes, but no gradient to the image.
 */
export function stepOperations({ encoder, decoder }: Model, samples: number): number {
  const forward = (layers: Model['encoder']) =>
    layers.reduce((sum, layer) => sum + 2 * layerMultiplyAdds(layer), 0);
  const first = encoder.find((layer) => layer.kind === 'correlation')!;
  return 3 * (forward(encoder) + samples * forward(decoder)) - 2 * layerMultiplyAdds(first);
}
