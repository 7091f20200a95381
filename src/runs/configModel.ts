import type { Model } from '../model/model.js';
import { resolveModel } from '../model/resolve.js';
import type { RunConfig } from './runConfig.js';
import { choiceOf } from './seams.js';

/** The model of a run, with the prior that its config chooses. @throws UsageError as resolveModel does. */
export function modelOfConfig(config: RunConfig): Model {
  return resolveModel(config.model, { latent: config.latent, prior: choiceOf(config, 'prior') });
}
