import { UsageError } from '#src/errors.js';

/** One training step that all peers compute. */
export interface Case {
  readonly name: string;
  readonly model: 'cvae' | 'mlp' | 'iwae';
  readonly batchSize: number;
  /** K. */
  readonly samples: number;
}

export const CASES: readonly Case[] = [
  { name: 'cvae-32', model: 'cvae', batchSize: 32, samples: 1 },
  { name: 'cvae-128', model: 'cvae', batchSize: 128, samples: 1 },
  { name: 'mlp-128', model: 'mlp', batchSize: 128, samples: 1 },
  { name: 'iwae-20-k1', model: 'iwae', batchSize: 20, samples: 1 },
  { name: 'iwae-20-k5', model: 'iwae', batchSize: 20, samples: 5 },
];

/** @throws UsageError for an unknown name. */
export function caseNamed(name: string): Case {
  const found = CASES.find((known) => known.name === name);
  if (found === undefined) {
    throw new UsageError(
      `There is no case ${JSON.stringify(name)}; cases are ${CASES.map((known) => known.name).join(', ')}.`,
    );
  }
  return found;
}
