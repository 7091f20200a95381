// What a user says of processes that share work.
import type { OptionTable } from '../model/optionReader.js';
import { RUN_OPTIONS } from './runOptions.js';
import type { TrainOptions } from './trainOptions.js';

/** What decides about processes: see the table of run options. */
export type ProcessOptions = Pick<TrainOptions, 'mpi' | 'mpiLibrary' | 'worldSize'>;

export const PROCESS_OPTIONS: OptionTable<ProcessOptions> = {
  mpi: RUN_OPTIONS.mpi.kind.option,
  mpiLibrary: RUN_OPTIONS.mpiLibrary.kind.option,
  worldSize: RUN_OPTIONS.worldSize.kind.option,
};
