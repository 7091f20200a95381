import { importanceBounds } from '../importance.js';
import { type Estimate, encodedExamples } from './estimate.js';

export interface ImportanceSettings {
  /** The values of k. */
  readonly draws: readonly number[];
}

/** Rows of one pass of the decoder: speed alone. */
const ROWS = 100;

/** The bound L_k for each k. */
export const importance: Estimate<ImportanceSettings> = {
  work: ({ draws }) => Math.max(...draws),
  figures: (chunk, { draws }) => {
    const count = chunk.positions.length;
    const bounds = draws.map(() => new Float64Array(count));
    const effectiveSampleSize = new Float64Array(count);
    let i = 0;
    for (const example of encodedExamples(chunk, Math.min(ROWS, Math.max(...draws)))) {
      const estimate = importanceBounds({ ...example, draws });
      for (const [k, values] of bounds.entries()) values[i] = estimate.bounds[k]!;
      effectiveSampleSize[i] = estimate.effectiveSampleSize;
      i++;
    }
    return { ...Object.fromEntries(draws.map((k, j) => [`L${k}`, bounds[j]!])), effectiveSampleSize };
  },
};
