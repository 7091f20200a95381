import { parseArgs } from 'node:util';
import { UsageError } from '#src/errors.js';
import { isPresetName, type PresetName, presetNames } from '#src/model/presets.js';
import { NETWORK_FLAGS, type NetworkRequest, networkRequest, networkUsage } from './networkOptions.js';

export interface BenchOptions {
  /** Names; empty: all. */
  readonly sections: readonly string[];
  readonly model: PresetName | undefined;
  readonly batchSize: number | undefined;
  /** Where the section scaling is to be a model of the network. */
  readonly network: NetworkRequest | undefined;
  /** JSON files: to write, and to compare with. */
  readonly json: string | undefined;
  readonly compare: string | undefined;
}

export function usage(sections: readonly string[]): string {
  return `Verifies and times kernels and training steps on this machine (docs/performance.md).

  npm run bench -- [SECTION…]   ${sections.join(', ')}; default: all

  --model NAME      one of ${presetNames.join(', ')}; default: all
  --batch-size N    images of a step; default: those that docs/performance.md has
  --json FILE       writes all figures as JSON
  --compare FILE    shows ratios against a file that --json has written
${networkUsage()}
  --help`;
}

/** The options, or undefined where help is asked for. @throws UsageError for what it does not understand. */
export function parseOptions(args: readonly string[], sections: readonly string[]): BenchOptions | undefined {
  const { positionals, values } = parse(args);
  if (values.help) return undefined;
  const unknown = positionals.find((name) => !sections.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`There is no section ${unknown}. Sections are ${sections.join(', ')}.`);
  }
  const { model, json, compare } = values;
  if (model !== undefined && !isPresetName(model)) {
    throw new UsageError(`--model is ${model}: expected one of ${presetNames.join(', ')}.`);
  }
  const batchSize = values['batch-size'] === undefined ? undefined : Number(values['batch-size']);
  if (batchSize !== undefined && (!Number.isSafeInteger(batchSize) || batchSize < 1)) {
    throw new UsageError(`--batch-size is ${values['batch-size']}: expected a whole number from 1 up.`);
  }
  const network = networkRequest(values);
  if (network !== undefined && !positionals.includes('scaling')) {
    throw new UsageError('--model-of-the-network belongs to the section scaling: name it.');
  }
  return { sections: positionals, model, batchSize, network, json, compare };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        model: { type: 'string' },
        'batch-size': { type: 'string' },
        json: { type: 'string' },
        compare: { type: 'string' },
        ...NETWORK_FLAGS,
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} --help lists the options.`);
  }
}
