import type { RunEvent } from '../coordinator/events.js';
import type { TrainResult } from '../coordinator/train.js';
import type { TrainOptions } from '../coordinator/trainOptions.js';
import { MOST_IMAGES, NARROWEST_PREVIEW } from '../report/halfBlocks.js';
import { columnsOf, showsUnicode } from '../report/terminal.js';
import { HARD_SPACE } from '../report/wrap.js';
import type { RunConfig } from '../runs/runConfig.js';
import { choiceOf, describeChoice, type SeamField } from '../runs/seams.js';
import { runtime } from '../runtime.js';
import { defineCommand, given } from './command.js';
import { ExitCode } from './exitCode.js';
import {
  choice,
  type FlagValues,
  inGroup,
  numberFromZero,
  path,
  positiveNumber,
  switchFlag,
  wholeNumber,
} from './flags.js';
import { Interruption } from './interruption.js';
import { nextCommands, nextLines } from './nextCommands.js';
import { printError, printJson, printLine } from './output.js';
import { seamFlags, seamOptions } from './seamFlags.js';
import {
  backendFlag,
  batchSizeFlag,
  binarizeFlag,
  dataFlag,
  klFlag,
  klWord,
  modelFlag,
  outputFlags,
  samplesFlag,
  seedFlag,
  workersFlag,
} from './sharedFlags.js';

const tileWords = { '4x8': '4x8', '6x8': '6x8', '4x16': '4x16', '6x16': '6x16' } as const;

const flags = {
  ...inGroup('Model and data:', {
    model: modelFlag(),
    latent: wholeNumber(1, {
      describe: 'd: dimensions of z',
      default: "the model's: cvae 2, mlp 20, iwae 50",
    }),
    data: dataFlag('train-images-idx3-ubyte and the like'),
    binarize: binarizeFlag(
      "the model's: cvae threshold, mlp none, iwae dynamic; none with --likelihood gaussian",
    ),
  }),
  ...seamFlags('Objective:'),
  ...inGroup('Objective:', {
    samples: samplesFlag("the model's: 1"),
    kl: klFlag("the objective's: elbo analytic, iwae monte-carlo"),
    beta: numberFromZero({ describe: 'Weight of the KL term', default: '1' }),
    'kl-warmup-epochs': numberFromZero({
      describe: 'Epochs in which the weight rises from 0 to beta',
      default: '0: no warm-up',
    }),
  }),
  ...seamFlags('Optimisation:'),
  ...inGroup('Optimisation:', {
    epochs: wholeNumber(1, {
      alias: 'e',
      describe: 'Passes over the training images',
      default: "the model's: 10",
    }),
    'max-steps': wholeNumber(1, {
      describe: 'Stop after this many steps of the whole run, in the middle of an epoch if need be',
      default: 'none',
    }),
    'batch-size': batchSizeFlag(),
    'learning-rate': positiveNumber({
      alias: 'lr',
      describe: "The optimizer's, before its schedule",
      default: "the model's: cvae 0.0001, mlp and iwae 0.001",
    }),
    shards: wholeNumber(1, { describe: 'Slices of a batch, which decide the order of sums', default: '8' }),
    seed: seedFlag('Of weights, noise, order and drawn pixels', '0'),
  }),
  ...inGroup('Run:', {
    out: path('the path of a directory', {
      alias: 'o',
      describe: "The new run's directory",
      default: 'runs/<model>-<n>, the first n that is free',
    }),
    resume: path('the path of a directory', {
      describe: "Go on with the run of this directory, bit for bit; what decides its bits is the run's own",
      default: 'none: a new run',
    }),
    workers: workersFlag('--shards'),
    backend: backendFlag(
      'What computes the gradients: simd (this package), or TensorFlow.js on wasm, native (tfjs-node) or cpu ' +
        '(docs/backends.md)',
      "simd; a resumed run's own",
    ),
    arithmetic: choice(
      { portable: 'portable', fused: 'fused' },
      {
        describe:
          'portable: the same bits on every machine; fused (multiply-adds rounded once): faster, the same bits on ' +
          'every machine that fuses',
        default: "fused where this machine fuses; a resumed run's own",
      },
    ),
    revectorize: switchFlag({
      describe: 'Let V8 pair operations to 256 bits where that is known to work; changes no bit',
      default: 'on',
    }),
    tile: choice(tileWords, {
      describe: 'Tile of the micro-kernels; changes no bit',
      default: 'the fastest known for this Node',
    }),
    'barrier-timeout': positiveNumber({
      describe: 'Seconds after which a worker that no longer answers ends the run',
      default: '60',
    }),
  }),
  ...inGroup('Output:', {
    pictures: switchFlag({
      describe: 'Samples, reconstructions and (d = 2) the manifold after each epoch; --no-pictures: none',
      default: 'on',
    }),
    preview: switchFlag({
      describe:
        'A few test images and their reconstructions in the terminal after each epoch (where it has 60 columns and ' +
        'block characters); --no-preview: none',
      default: 'on',
    }),
    'keep-checkpoints': wholeNumber(1, {
      describe: 'How many checkpoints stay, the newest ones: one an epoch is written',
      default: '3',
    }),
    'log-every': wholeNumber(1, { describe: 'Steps between lines of metrics.jsonl', default: '100' }),
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
    const [{ createReporter }, { train }, { BACKENDS }, { requireDataOfResumed }] = await Promise.all([
      import('../report/progress.js'),
      import('../coordinator/train.js'),
      import('../backends/registry.js'),
      import('./runData.js'),
    ]);
    if (values.resume !== undefined) await requireDataOfResumed(values.resume, values.data);
    const reporter = createReporter({ stream: process.stdout, json, quiet });
    const interruption = new Interruption((message) => reporter.report({ kind: 'stopping', message }));
    const onEvent = (event: RunEvent) => {
      if (event.kind === 'started' && !json)
        reporter.report({ kind: 'note', message: headline(event, BACKENDS[event.config.backend].title) });
      reporter.report(event.kind === 'started' ? { ...event, ...machine() } : event);
    };
    let result: TrainResult;
    try {
      result = await train({
        ...trainOptions(values),
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
    if (json) printJson(resultObject(result));
    else if (!quiet) printLine(closingLines(result, values.data, columnsOf(process.stdout)));
    if (interruption.outputLoss !== undefined) {
      const { message } = interruption.outputLoss;
      const stopped = `The run stopped after step ${result.step}, with a checkpoint.`;
      printError(`${message} ${stopped}\n${closingLines(result, values.data, columnsOf(process.stderr))}`);
    }
    return interruption.exitCode ?? ExitCode.done;
  },
});

function trainOptions(values: FlagValues<typeof flags>): TrainOptions {
  return given({
    model: values.model,
    data: values.data,
    out: values.out,
    resume: values.resume,
    workers: values.workers,
    shards: values.shards,
    batchSize: values['batch-size'],
    epochs: values.epochs,
    maxSteps: values['max-steps'],
    latent: values.latent,
    samples: values.samples,
    kl: values.kl,
    beta: values.beta,
    klWarmupEpochs: values['kl-warmup-epochs'],
    learningRate: values['learning-rate'],
    binarize: values.binarize,
    seed: values.seed,
    pictures: values.pictures,
    keepCheckpoints: values['keep-checkpoints'],
    logEvery: values['log-every'],
    barrierTimeout: values['barrier-timeout'],
    backend: values.backend,
    arithmetic: values.arithmetic,
    revectorize: values.revectorize,
    tile: values.tile,
    ...seamOptions(values),
  });
}

/** What decides the bits of the run and is not in the lines that the reporter begins with. */
function headline(
  { config, tile, revectorized }: Extract<RunEvent, { kind: 'started' }>,
  backendTitle: string,
): string {
  const width = revectorized ? '256-bit (re-vectorised)' : '128-bit';
  const kernels = `${config.arithmetic} arithmetic, tile ${tile}, ${width}`;
  const schedule =
    config.learningRateSchedule === undefined ? '' : ` (${chosen(config, 'learningRateSchedule')})`;
  return [
    `Model        ${config.model.name}, d = ${config.latent}`,
    `Data         ${config.data.source}, binarise ${config.binarize}`,
    `Objective    ${chosen(config, 'objective')}, K = ${config.samples}, KL ${klWord(config.kl)}, beta ${config.beta}; ` +
      `likelihood ${chosen(config, 'likelihood')}`,
    `Optimizer    ${chosen(config, 'optimizer')}, learning rate ${config.learningRate}${schedule}, ` +
      `batches of ${config.batchSize} in ${config.shards} shards, seed ${config.seed}`,
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
