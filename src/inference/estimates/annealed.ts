import { annealedImportance, annealingTransitions } from '../ais.js';
import type { TemperatureSchedule } from '../annealing.js';
import { bidirectional } from '../bdmc.js';
import { condition, type Estimate, type ExampleChunk } from './estimate.js';

export interface AnnealingSettings {
  readonly chains: number;
  readonly temperatures: number;
  readonly schedule: TemperatureSchedule;
  readonly leapfrogSteps: number;
}

/** log p(x) by annealed importance sampling. */
export const ais: Estimate<AnnealingSettings> = {
  work: (settings) => annealingWork(settings, false),
  figures: (chunk, settings) => {
    const density = condition(chunk, chunk.x, settings.chains);
    const { logMarginal, effectiveSampleSize, acceptance } = annealedImportance({
      density,
      ...annealing(chunk, settings),
    });
    return { logMarginal, effectiveSampleSize, acceptance };
  },
};

/** The bracket of log p(x), on data drawn from the model: pair i has the position of example i. */
export const bdmc: Estimate<AnnealingSettings> = {
  work: (settings) => annealingWork(settings, true),
  figures: (chunk, settings) => {
    const { z, x } = chunk.model.simulate(chunk.key, chunk.positions);
    const density = condition(chunk, x, settings.chains);
    const bracket = bidirectional({ density, truth: z, ...annealing(chunk, settings) });
    return {
      lower: bracket.lower,
      upper: bracket.upper,
      forwardEffectiveSampleSize: bracket.forward.effectiveSampleSize,
      reverseEffectiveSampleSize: bracket.reverse.effectiveSampleSize,
      forwardAcceptance: bracket.forward.acceptance,
      reverseAcceptance: bracket.reverse.acceptance,
    };
  },
};

/** Each run evaluates its start as well: the pilot's, the one from the prior, the one back to it. */
function annealingWork({ chains, temperatures, leapfrogSteps }: AnnealingSettings, reverse: boolean): number {
  const starts = reverse ? 3 : 2;
  return 2 * chains * (starts + leapfrogSteps * annealingTransitions(temperatures, reverse));
}

function annealing(
  { model, key, positions }: ExampleChunk,
  { temperatures, schedule, leapfrogSteps }: AnnealingSettings,
) {
  return { random: model.random(key), positions, temperatures, schedule, leapfrogSteps };
}
