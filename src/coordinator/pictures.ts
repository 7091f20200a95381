import type { Dataset } from '../data/dataset.js';
import type { RunConfig } from './runConfig.js';
import type { RunDirectory } from './runDirectory.js';
import type { RunState } from './runState.js';

export interface EpochPictures {
  readonly state: RunState;
  readonly dataset: Dataset;
  readonly config: RunConfig;
  readonly directory: RunDirectory;
  readonly epoch: number;
}

export async function writeEpochPictures(_pictures: EpochPictures): Promise<string[]> {
  return [];
}
