import { elboTerms } from '../elboTerms.js';
import { type Estimate, encodedExamples } from './estimate.js';

export interface ElboSettings {
  /** K. */
  readonly samples: number;
}

/** Rows of one pass of the decoder: speed alone. */
const ROWS = 100;

/** The ELBO with K draws, its terms, and the posterior means. */
export const elbo: Estimate<ElboSettings> = {
  work: ({ samples }) => samples,
  figures: (chunk, { samples }) => {
    const { latent } = chunk.model.model;
    const count = chunk.positions.length;
    const figures = {
      elbo: new Float64Array(count),
      logLikelihood: new Float64Array(count),
      kl: new Float64Array(count * latent),
      mu: new Float64Array(count * latent),
    };
    let i = 0;
    for (const example of encodedExamples(chunk, Math.min(ROWS, samples))) {
      const terms = elboTerms({ ...example, samples });
      figures.elbo[i] = terms.elbo;
      figures.logLikelihood[i] = terms.logLikelihood;
      figures.kl.set(terms.kl, i * latent);
      figures.mu.set(example.posterior.mu, i * latent);
      i++;
    }
    return figures;
  },
};
