import { UsageError } from '../../errors.js';
import type { Choice } from '../hyperparameter.js';
import type { Model } from '../model.js';
import { LIKELIHOODS, type LikelihoodName, likelihoodOf } from './registry.js';

/**
 * @throws UsageError where the decoder ends in an activation whose values are no outputs for the likelihood.
 */
export function requireDecoderEnd({ name, decoder }: Model, choice: Choice<LikelihoodName>): void {
  const last = decoder.findLast(({ kind }) => kind !== 'reshape');
  if (last?.kind !== 'activation') return;
  const { title, refusedEnds } = likelihoodOf(choice);
  const reason = refusedEnds?.[last.activation];
  if (reason === undefined) return;
  const names = Object.keys(LIKELIHOODS) as LikelihoodName[];
  const others = names.filter(
    (other) => likelihoodOf({ name: other, values: {} }).refusedEnds?.[last.activation] === undefined,
  );
  throw new UsageError(
    `Model "${name}": the decoder ends in the activation "${last.activation}", but the ${title} likelihood ${reason}. Leave ` +
      `the activation out, or ask for the likelihood ${others.join(' or ')}.`,
  );
}
