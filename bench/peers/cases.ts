import { UsageError } from '#src/errors.js';

/** One step that all peers compute: of training, or of inference at the initial parameters. */
export interface Case {
  readonly name: string;
  readonly model: 'cvae' | 'mlp' | 'iwae';
  /** Images of a step. */
  readonly batchSize: number;
  /** K of training. */
  readonly samples: number;
  /** Absent: training. */
  readonly inference?: Inference;
}

/** What a step of inference is, for each image. */
export type Inference =
  /** The importance-weighted bound of so many draws. */
  | { readonly kind: 'importance'; readonly draws: number }
  /** Annealed importance sampling, its pilot included. */
  | { readonly kind: 'annealing'; readonly chains: number; readonly temperatures: number };

export const CASES: readonly Case[] = [
  { name: 'cvae-32', model: 'cvae', batchSize: 32, samples: 1 },
  { name: 'cvae-128', model: 'cvae', batchSize: 128, samples: 1 },
  { name: 'mlp-128', model: 'mlp', batchSize: 128, samples: 1 },
  { name: 'iwae-20-k1', model: 'iwae', batchSize: 20, samples: 1 },
  { name: 'iwae-20-k5', model: 'iwae', batchSize: 20, samples: 5 },
  {
    name: 'importance-5000',
    model: 'iwae',
    batchSize: 8,
    samples: 1,
    inference: { kind: 'importance', draws: 5000 },
  },
  {
    name: 'ais-100',
    model: 'iwae',
    batchSize: 8,
    samples: 1,
    inference: { kind: 'annealing', chains: 16, temperatures: 100 },
  },
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
