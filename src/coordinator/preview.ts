import type { RunData } from '../data/source.js';
import { LatentModel } from '../inference/latentModel.js';
import type { RunConfig } from '../runs/runConfig.js';
import type { RunEvent } from './events.js';
import { testExamples } from './examples.js';
import type { RunState } from './runState.js';

export interface EpochPreview {
  readonly state: RunState;
  readonly dataset: RunData;
  readonly config: RunConfig;
  readonly epoch: number;
  /** Test images, from the first one on. */
  readonly count: number;
}

/**
 * The first test images, as the run's evaluation sees them, and what the mean of q(z|x) decodes to. It is
 * computed in a memory of its own, from a copy of the parameters or of their average: the run has the same
 * bits with and without it.
 */
export function epochPreview(options: EpochPreview): Extract<RunEvent, { kind: 'preview' }> {
  const { state, dataset, config, epoch } = options;
  const count = Math.min(options.count, dataset.test.count);
  const model = new LatentModel(state.model, state.modelParameters, {
    platform: state.platform,
    likelihood: state.settings.likelihood,
  });
  const indices = Array.from({ length: count }, (_, i) => i);
  const above = testExamples(config, dataset.test, indices);
  const [height, width, channels] = model.model.input;
  const title = 'test images, above their reconstructions';
  return {
    kind: 'preview',
    epoch,
    rows: { title, height, width, channels, above, below: model.reconstruct(above) },
  };
}
