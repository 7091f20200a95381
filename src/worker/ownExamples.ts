// Which examples of an epoch a process needs: those of its own shards.
import { type PartRange, partStart } from '../collective/parts.js';
import { type ProcessPlace, processRange } from '../collective/processPlace.js';
import type { Settings } from './settings.js';
import { examplesOfStep } from './step.js';

type EpochSettings = Pick<Settings, 'batchSize' | 'shards' | 'stepsPerEpoch' | 'trainCount'>;

/**
 * The places in the epoch's order that the shards of a process have, step by step: the same in every epoch.
 */
export function* ownPlaces(settings: EpochSettings, place: ProcessPlace): Generator<PartRange> {
  const { shards, stepsPerEpoch } = settings;
  const own = processRange(shards, place);
  for (let inEpoch = 0; inEpoch < stepsPerEpoch; inEpoch++) {
    const { first, examples } = examplesOfStep(settings, inEpoch);
    const at = (shard: number) => first + partStart(examples, shards, shard);
    yield { first: at(own.first), end: at(own.end) };
  }
}

/** How many there are. */
export function countOwnExamples(settings: EpochSettings, place: ProcessPlace): number {
  let count = 0;
  for (const { first, end } of ownPlaces(settings, place)) count += end - first;
  return count;
}
