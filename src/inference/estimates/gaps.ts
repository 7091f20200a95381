import { optimizePosterior } from '../gaps.js';
import { type Estimate, encodedExamples } from './estimate.js';

export interface GapSettings {
  /** Steps of the optimisation. */
  readonly steps: number;
  /** Draws of each step. */
  readonly draws: number;
  /** Draws of both ELBOs that are compared. */
  readonly samples: number;
}

/** q optimised for each example. */
export const gaps: Estimate<GapSettings> = {
  work: ({ steps, draws, samples }) => 2 * steps * draws + 2 * samples,
  figures: (chunk, { steps, draws, samples }) => {
    const count = chunk.positions.length;
    const names = ['elbo', 'optimizedElbo', 'amortizationGap'] as const;
    const figures = {
      elbo: new Float64Array(count),
      optimizedElbo: new Float64Array(count),
      amortizationGap: new Float64Array(count),
    };
    let i = 0;
    // The rows are the draws of a step: they decide bits.
    for (const example of encodedExamples(chunk, draws)) {
      const found = optimizePosterior({ ...example, steps, samples });
      for (const name of names) figures[name][i] = found[name];
      i++;
    }
    return figures;
  },
};
