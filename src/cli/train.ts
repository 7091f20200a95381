import type { RunEvent } from '../coordinator/events.js';
import type { RunConfig } from '../coordinator/runConfig.js';
import type { TrainResult } from '../coordinator/train.js';
import type { TrainOptions } from '../coordinator/trainOptions.js';
import { choiceOf, describeChoice, SEAM_FIELDS, SEAMS } from '../runs/seams.js';
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
import { printJson, printLine } from './output.js';
import { seamFlags, seamOptions } from './seamFlags.js';
import {
  backendFlag,
  binarizeFlag,
  dataFlag,
  klFlag,
  klWord,
  outputFlags,
  samplesFlag,
  seedFlag,
  workersFlag,
} from './sharedFlags.js';

const tileWords = { '4x8': '4x8', '6x8': '6x8', '4x16': '4x16', '6x16': '6x16' } as const;

const flags = {
  ...inGroup('Model and data:', {
    model: path('the name of a preset or the path of a JSON file', {
      describe: 'cvae, mlp, iwae, or a JSON file of your own (docs/models.md)',
      default: 'cvae',
    }),
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
    epochs: wholeNumber(1, { describe: 'Passes over the training images', default: "the model's: 10" }),
    'max-steps': wholeNumber(1, {
      describe: 'Stop after this many steps of the whole run, in the middle of an epoch if need be',
      default: 'none',
    }),
    'batch-size': wholeNumber(1, {
      describe: 'Images of a step',
      default: "the model's: cvae 32, mlp 128, iwae 20",
    }),
    'learning-rate': positiveNumber({
      describe: "The optimizer's, before its schedule",
      default: "the model's: cvae 0.0001, mlp and iwae 0.001",
    }),
    shards: wholeNumber(1, { describe: 'Slices of a batch, which decide the order of sums', default: '8' }),
    seed: seedFlag('Of weights, noise, order and drawn pixels', '0'),
  }),
  ...inGroup('Run:', {
    out: path('the path of a directory', {
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
    const [{ createReporter }, { train }, { requireDataOfResumed }] = await Promise.all([
      import('../report/progress.js'),
      import('../coordinator/train.js'),
      import('./runData.js'),
    ]);
    if (values.resume !== undefined) await requireDataOfResumed(values.resume, values.data);
    const reporter = createReporter({ stream: process.stdout, json, quiet });
    const interruption = new Interruption((message) => reporter.report({ kind: 'note', message }));
    const onEvent = (event: RunEvent) => {
      if (event.kind === 'started' && !json) reporter.report({ kind: 'note', message: headline(event) });
      reporter.report(event.kind === 'started' ? { ...event, ...machine() } : event);
    };
    let result: TrainResult;
    try {
      result = await train({ ...trainOptions(values), signal: interruption.signal, onEvent });
    } finally {
      reporter.stop();
      interruption.release();
    }
    if (json) printJson(resultObject(result));
    else if (!quiet) printLine(closingLines(result, values.data));
    if (interruption.exitCode === ExitCode.outputClosed) {
      process.stderr.write(`Standard output was closed. ${closingLines(result, values.data)}\n`);
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
    logEvery: values['log-every'],
    barrierTimeout: values['barrier-timeout'],
    backend: values.backend,
    arithmetic: values.arithmetic,
    revectorize: values.revectorize,
    tile: values.tile,
    ...seamOptions(values),
  });
}

const backendWords = {
  simd: 'simd kernels',
  wasm: 'gradients by TensorFlow.js on wasm with these kernels',
  native: 'gradients by tfjs-node, the rest by simd kernels',
  cpu: 'gradients by TensorFlow.js in JavaScript, the rest by simd kernels',
} as const;

/** What decides the bits of the run and is not in the lines that the reporter begins with. */
function headline({ config, tile, revectorized }: Extract<RunEvent, { kind: 'started' }>): string {
  const width = revectorized ? '256-bit (re-vectorised)' : '128-bit';
  const kernels = `${config.arithmetic} arithmetic, tile ${tile}, ${width}`;
  return (
    `Model ${config.model.name} (d = ${config.latent}) on ${config.data.source} (binarise ${config.binarize}): ` +
    `batches of ${config.batchSize} in ${config.shards} shards, K = ${config.samples}, KL ${klWord(config.kl)}, ` +
    `beta ${config.beta}, learning rate ${config.learningRate}, seed ${config.seed}\n` +
    chosenLine(config) +
    `Node ${machine().node}, ${backendWords[config.backend]}, ${kernels}`
  );
}

/** Objective, likelihood, optimizer and schedule, where one is not what config.json leaves out. */
function chosenLine(config: RunConfig): string {
  const chosen = SEAM_FIELDS.filter((field) => config[field] !== undefined);
  if (chosen.length === 0) return '';
  const words = chosen.map(
    (field) => `${SEAMS[field].title} ${describeChoice(field, choiceOf(config, field))}`,
  );
  return `With ${words.join('; ')}\n`;
}

function machine(): { readonly node: string } {
  return { node: process.version };
}

/** The result of --json's last line: without the parameters themselves. */
function resultObject({ directory, reason, step, parametersSha256, test }: TrainResult): object {
  return { kind: 'result', directory, reason, step, parametersSha256, test };
}

/** The identity of what was trained, and what to type next. */
function closingLines(
  { directory, reason, parametersSha256 }: TrainResult,
  data: string | undefined,
): string {
  // The run knows its data by their fingerprint, not by where they are.
  const where = data === undefined ? '' : ` --data ${shellWord(data)}`;
  const next =
    reason === 'done'
      ? `Measure it with: lowerbound evaluate ${shellWord(directory)}${where}`
      : `Go on with: lowerbound train --resume ${shellWord(directory)}${where}`;
  return `Parameters: SHA-256 ${parametersSha256}\n${next}`;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
