import type { LatentModel } from '../inference/latentModel.js';
import { formatCount } from '../report/quantity.js';
import { openRunDirectory } from '../runs/runDirectory.js';
import { type LoadedModel, loadModel, type ReadOptions } from './loadModel.js';

/** How many checkpoints stand side by side at most. */
const MOST_MOMENTS = 5;

/** A run's model at one of the checkpoints that it kept. */
export interface Moment {
  readonly loaded: LoadedModel;
  readonly model: LatentModel;
  /** E.g. `epoch 3`, or `step 100` in the middle of an epoch. */
  readonly heading: string;
}

/**
 * Up to five checkpoints of a run, the first and the last among them, spread by the logarithm of their steps:
 * most happens early.
 * @param path of a run's directory.
 * @throws UsageError where it is none, or a checkpoint among them is damaged.
 */
export async function momentsOf(path: string, options: ReadOptions = {}): Promise<Moment[]> {
  const directory = await openRunDirectory(path);
  const epochs = new Map(directory.epochTerms().map(({ step, epoch }) => [step, epoch]));
  const steps = spread((await directory.checkpointSteps()).reverse(), MOST_MOMENTS);
  const moments: Moment[] = [];
  for (const step of steps) {
    const loaded = await loadModel(directory.checkpointPath(step), options);
    const epoch = epochs.get(step);
    const heading = epoch === undefined ? `step ${formatCount(step)}` : `epoch ${epoch}`;
    moments.push({ loaded, model: loaded.model, heading });
  }
  return moments;
}

/** `most` (2 or more) of ascending positive numbers, or all where there are no more. */
export function spread(steps: readonly number[], most: number): number[] {
  if (steps.length <= most) return [...steps];
  const last = steps.length - 1;
  const [low, high] = [Math.log(steps[0]!), Math.log(steps[last]!)];
  const chosen = [0];
  for (let i = 1; i < most; i++) {
    const wanted = low + ((high - low) * i) / (most - 1);
    // As many have to be left as are still to be chosen.
    const [first, end] = [chosen.at(-1)! + 1, last - (most - 1 - i)];
    let best = first;
    for (let j = first; j <= end; j++) {
      const distance = (k: number) => Math.abs(Math.log(steps[k]!) - wanted);
      if (distance(j) < distance(best)) best = j;
    }
    chosen.push(best);
  }
  return chosen.map((i) => steps[i]!);
}
