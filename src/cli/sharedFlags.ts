// Flags and arguments that several commands have, with the same words in each.
import { inGroup, path, switchFlag, type ValueFlag } from './flags.js';
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

export function dataFlag(text: string): ValueFlag<string> {
  return optionFlag('data', { describe: `Directory of IDX files, plain or gzip (docs/data.md): ${text}` });
}
