// The bits of a run at several of its steps, without a stop between them: what the test matrix compares.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openSession } from '#src/coordinator/session.js';
import { requestedConfig, type TrainOptions } from '#src/coordinator/trainOptions.js';
import { loadDataset } from '#src/index.js';
import { parameterHash } from '#src/runs/checkpoint.js';
import type { TrainingState } from '#src/runs/trainingState.js';

/** SHA-256, in hex, of a run's state after a step. */
export interface StepHashes {
  readonly step: number;
  readonly parameters: string;
  /** The hash of all tensors of the optimizer's state, one behind the other in a checkpoint's order. */
  readonly optimizerState: string;
}

export interface Trace {
  readonly steps: readonly StepHashes[];
  /** Whether V8 was told to re-vectorise, and passed the self-test. */
  readonly revectorized: boolean;
}

export type TraceOptions = Pick<
  TrainOptions,
  'model' | 'arithmetic' | 'clipNorm' | 'emaDecay' | 'workers' | 'revectorize' | 'tile' | 'barrierTimeout'
>;

/**
 * Trains from the seed and takes the hashes after each of `steps`, ascending.
 * @throws UsageError where the options do not make a run here.
 */
export async function traceOf(options: TraceOptions, steps: readonly number[]): Promise<Trace> {
  const { workers, revectorize, tile, barrierTimeout, ...asked } = options;
  const dataset = loadDataset();
  const config = await requestedConfig(asked, dataset, undefined);
  const session = openSession({ config, dataset, workers, revectorize, tile, barrierTimeout });
  const { state } = session;
  const { stepsPerEpoch } = state.settings;
  const hashes: StepHashes[] = [];
  try {
    let now = 0;
    for (const step of steps) {
      while (now < step) {
        const epoch = Math.floor(now / stepsPerEpoch);
        if (now === epoch * stepsPerEpoch) state.shuffle(epoch);
        now = await session.pool.trainSteps(epoch, now, Math.min(step, (epoch + 1) * stepsPerEpoch));
      }
      hashes.push({ step, ...stateHashes(state) });
    }
  } finally {
    await session.close();
  }
  return { steps: hashes, revectorized: session.platform.revectorized };
}

/** Both hashes of a state: a run's, or that of a checkpoint. */
export function stateHashes({ parameters, optimizerState }: TrainingState): Omit<StepHashes, 'step'> {
  const hash = createHash('sha256');
  for (const tensor of optimizerState.values()) hash.update(Float32Array.from(tensor));
  return { parameters: parameterHash(Float32Array.from(parameters)), optimizerState: hash.digest('hex') };
}

/** Golden hashes of this folder, by arithmetic. */
export function readGolden<T>(name: string): Readonly<Record<'portable' | 'fused', T>> {
  return JSON.parse(readFileSync(new URL(`../../../test/coordinator/${name}`, import.meta.url), 'utf8'));
}
