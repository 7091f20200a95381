// Flags and arguments that several commands have, with the same words in each.
import type { ProcessOptions } from '../coordinator/processOptions.js';
import { given } from './command.js';
import { type FlagValues, inGroup, path, switchFlag, type ValueFlag } from './flags.js';
import { optionFlag } from './optionFlags.js';

/** Every command has them. */
export const outputFlags = inGroup('Output:', {
  json: switchFlag({ describe: 'Print JSON for machines, one object a line', default: 'off' }),
  debug: switchFlag({ describe: 'Print the stack of an error', default: 'off' }),
});

export const runArgument = {
  run: path("the path of a run's directory or of a checkpoint", {
    describe: "A run's directory (its newest checkpoint), or a checkpoint file",
    default: 'none: it must be given',
  }),
};

/** Which parameters of a run are read. */
export const emaFlag = {
  ema: switchFlag({
    describe:
      'Take the average of the parameters, where the run has one (train --ema-decay); --no-ema: those of the last update',
    default: 'on',
  }),
};

export function dataFlag(text: string): ValueFlag<string> {
  return optionFlag('data', { describe: `Directory of IDX files, plain or gzip (docs/data.md): ${text}` });
}

/** What decides whether several processes share the work, which a launcher has started. */
export const processFlags = {
  mpi: optionFlag('mpi', {
    describe: 'Share the work with the other processes that mpirun or srun has started; --no-mpi: alone',
  }),
  'mpi-library': optionFlag('mpiLibrary', {}),
  'world-size': optionFlag('worldSize', { describe: 'Refuse to work unless there are so many processes' }),
};

export function processValues(values: FlagValues<typeof processFlags>): ProcessOptions {
  return given({
    mpi: values.mpi,
    mpiLibrary: values['mpi-library'],
    worldSize: values['world-size'],
  });
}
