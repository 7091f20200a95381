import type { RunEvent } from '../coordinator/events.js';
import type { TrainResult } from '../coordinator/train.js';
import type { TrainOptions } from '../coordinator/trainOptions.js';
import { HELP_GROUPS } from '../model/field.js';
import { printable } from '../printable.js';
import { MOST_IMAGES, NARROWEST_PREVIEW } from '../report/halfBlocks.js';
import { columnsOf, showsUnicode } from '../report/terminal.js';
import { HARD_SPACE } from '../report/wrap.js';
import { fieldWords, objectiveWords } from '../runs/hyperparameters.js';
import type { RunConfig } from '../runs/runConfig.js';
import { choiceOf, describeChoice, type SeamField } from '../runs/seams.js';
import { runtime } from '../runtime.js';
import { defineCommand } from './command.js';
import { ExitCode } from './exitCode.js';
import { type Flag, type FlagValues, inGroup, switchFlag } from './flags.js';
import { Interruption } from './interruption.js';
import { nextCommands, nextLines } from './nextCommands.js';
import { optionFlags, optionValues } from './optionFlags.js';
import { printError, printJson, printLine } from './output.js';
import { outputFlags } from './sharedFlags.js';

const flags = {
  ...(Object.assign({}, ...HELP_GROUPS.map(optionFlags)) as Readonly<Record<string, Flag>>),
  ...inGroup('Output:', {
    preview: switchFlag({
      describe:
        'A few test images and their reconstructions in the terminal after each epoch (where it has 60 columns and ' +
        'block characters); --no-preview: none',
      default: 'on',
    }),
    quiet: switchFlag({ describe: 'Print warnings and errors only', default: 'off' }),
  }),
  ...outputFlags,
};

export const trainCommand = defineCommand({
  name: 'train',
  summary: 'Train a model; the run gets a directory of its own',
  positionals: {},
  flags,
  examples: [
    ['lowerbound train', 'The convolutional VAE on MNIST, on all cores'],
    [
      'lowerbound train --model mlp --epochs 20 --out runs/mlp-20',
      'Another model, longer, into a directory of your choice',
    ],
    ['lowerbound train --data /data/fashion-mnist --binarize none', 'Data of your own'],
    ['lowerbound train --max-steps 25 --workers 1 --no-pictures', 'A quick try'],
    ['lowerbound train --resume runs/cvae-1 --epochs 20', 'Go on with a run, and further than was planned'],
  ],
  async execute(values) {
    const { json = false, quiet = false } = values;
    const options = optionValues(values);
    const [{ createReporter }, { train }, { BACKENDS }, { hasLeader }] = await Promise.all([
      import('../report/progress.js'),
      import('../coordinator/train.js'),
      import('../backends/registry.js'),
      import('../coordinator/launched.js'),
    ]);
    const reporter = createReporter({ stream: process.stdout, json, quiet });
    // Where several processes train together, the first one speaks: another one once it has taken the lead.
    let isSilent = hasLeader(options);
    const interruption = new Interruption((message) => {
      if (!isSilent) reporter.report({ kind: 'stopping', message });
    });
    const onEvent = (event: RunEvent) => {
      isSilent = false;
      if (event.kind === 'started' && !json)
        reporter.report({ kind: 'note', message: headline(event, BACKENDS[event.config.backend].title) });
      reporter.report(event.kind === 'started' ? { ...event, ...machine() } : event);
    };
    let result: TrainResult;
    try {
      result = await train({
        ...options,
        ...previewOption(values),
        signal: interruption.signal,
        onEvent,
      });
    } catch (error) {
      // Stopped before there was a run, while it waited for a pipe with the model.
      const { exitCode, signal } = interruption;
      if (exitCode !== undefined && error === signal.reason) return exitCode;
      throw error;
    } finally {
      reporter.stop();
      interruption.release();
    }
    if (isSilent) return interruption.exitCode ?? ExitCode.done;
    if (json) printJson(resultObject(result));
    else if (!quiet) printLine(closingLines(result, options.data, columnsOf(process.stdout)));
    if (interruption.outputLoss !== undefined) {
      const { message } = interruption.outputLoss;
      const stopped = `The run stopped after step ${result.step}, with a checkpoint.`;
      printError(`${message} ${stopped}\n${closingLines(result, options.data, columnsOf(process.stderr))}`);
    }
    return interruption.exitCode ?? ExitCode.done;
  },
});

/** What decides the bits of the run and is not in the lines that the reporter begins with. */
function headline(
  { config, tile, revectorized }: Extract<RunEvent, { kind: 'started' }>,
  backendTitle: string,
): string {
  const width = revectorized ? '256-bit (re-vectorised)' : '128-bit';
  const kernels = `${config.arithmetic} arithmetic, tile ${tile}, ${width}`;
  const schedule =
    config.learningRateSchedule === undefined ? '' : ` (${chosen(config, 'learningRateSchedule')})`;
  const estimator = config.estimator === undefined ? '' : `, gradient ${chosen(config, 'estimator')}`;
  const inference = config.inference === undefined ? '' : `; decoder by ${chosen(config, 'inference')}`;
  const clipping = config.clipNorm === undefined ? '' : `, ${fieldWords('clipNorm', config.clipNorm)}`;
  const average = config.emaDecay === undefined ? '' : `; average ${fieldWords('emaDecay', config.emaDecay)}`;
  return [
    `Model        ${config.model.name}, d = ${config.latent}`,
    `Data         ${printable(config.data.source)}, binarise ${config.binarize}`,
    `Objective    ${chosen(config, 'objective')}, ${objectiveWords(config)}${estimator}${inference}; ` +
      `likelihood ${chosen(config, 'likelihood')}`,
    `Optimizer    ${chosen(config, 'optimizer')}, ${fieldWords('learningRate', config.learningRate)}${schedule}${clipping}, ` +
      `batches of ${config.batchSize} in ${config.shards} shards, seed ${config.seed}${average}`,
    `Kernels      ${backendTitle}, ${kernels}, ${runtime()}`,
  ]
    .join('\n')
    .replaceAll(' = ', `${HARD_SPACE}=${HARD_SPACE}`);
}

/** An implementation with its hyper-parameters, in words. */
function chosen(config: RunConfig, field: SeamField): string {
  return describeChoice(field, choiceOf(config, field));
}

function machine(): { readonly runtime: string; readonly node: string } {
  return { runtime: runtime(), node: process.version };
}

/** The result of --json's last line: without the parameters themselves. */
function resultObject({ directory, reason, step, parametersSha256, test }: TrainResult): object {
  return { kind: 'result', directory, reason, step, parametersSha256, test };
}

/** The identity of what was trained, and what to type next. */
function closingLines(
  { directory, reason, parametersSha256, config }: TrainResult,
  data: string | undefined,
  width: number,
): string {
  const next = nextCommands({ directory, data, done: reason === 'done', latent: config.latent });
  return [`SHA-256      ${parametersSha256}`, ...nextLines(next, width)].join('\n');
}

/** Images for the terminal, where it can show them and nobody minds. */
function previewOption({ json, quiet, preview }: FlagValues<typeof flags>): Pick<TrainOptions, 'preview'> {
  const { stdout } = process;
  const shown = stdout.isTTY && columnsOf(stdout) >= NARROWEST_PREVIEW && showsUnicode();
  return shown && !json && !quiet && preview !== false ? { preview: MOST_IMAGES } : {};
}
