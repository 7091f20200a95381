// The table of what decides no bit of a run: where it goes, what it goes on with, how this machine computes
// it, what it shows. A new option is a row here, and the place that uses it.
import { TILE_NAMES } from '../kernels/tiles/tile.js';
import type { ConfigField, OptionField } from '../model/field.js';
import { POSITIVE } from '../model/hyperparameter.js';
import { objectOf, type Reader } from '../model/jsonReader.js';
import { abortSignal, functionOf, type OptionTable } from '../model/optionReader.js';
import { oneWord, onOrOff, pathTo, realNumber, wholeNumber, withoutFlag } from '../model/valueKind.js';
import { HYPERPARAMETER_ROWS } from '../runs/hyperparameters.js';
import { TRAINING_PRESET_NAMES } from '../runs/trainingPresets.js';
import { CHECKPOINT_EVERY } from './checkpointPolicy.js';
import type { RunEvent } from './events.js';
import { CONFIG_OPTION } from './originOption.js';
import { HOOK_NAMES, type TrainHooks } from './sinks/callerHooks.js';

/** Seconds that a worker may stay away from a barrier, unless the options name another time. */
export const BARRIER_TIMEOUT = 60;

const readHooks = objectOf({}, {
  onStep: functionOf(),
  onEpoch: functionOf(),
  onCheckpoint: functionOf(),
} satisfies OptionTable<TrainHooks>);

/** The object itself. One of a class may have fields besides, and has its functions as methods. */
const hooksOption: Reader<TrainHooks> = (value, place) => {
  const isPlain = typeof value !== 'object' || value === null || isPlainObject(value);
  if (isPlain || Array.isArray(value)) readHooks(value, place);
  const hooks = value as TrainHooks;
  for (const name of HOOK_NAMES) {
    if (hooks[name] !== undefined) functionOf()(hooks[name], place.key(name));
  }
  if (!isPlain && HOOK_NAMES.every((name) => hooks[name] === undefined)) {
    throw place.error(`has no method ${HOOK_NAMES.join(', ')}`);
  }
  return hooks;
};

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** In the order of the help. */
export const RUN_OPTIONS = {
  stages: {
    kind: wholeNumber,
    group: 'Optimisation:',
    describe:
      'Epochs as stages of --learning-rate-schedule stages: 1 to 8 stages are 1, 4, 13, 40, 121, 364, 1093 or 3280 epochs',
    default: 'none: --epochs counts',
  },
  maxSteps: {
    kind: wholeNumber,
    group: 'Optimisation:',
    describe: 'Stop after this many steps of the whole run, in the middle of an epoch if need be',
    default: 'none',
  },
  out: {
    kind: pathTo('the path of a new directory'),
    group: 'Run:',
    alias: 'o',
    describe: "The new run's directory",
    default: 'runs/<model>-<n>, the first n that is free',
    onResume: 'refused',
  },
  resume: {
    kind: pathTo("the path of a run's directory"),
    group: 'Run:',
    describe: "Go on with the run of this directory, bit for bit; what decides its bits is the run's own",
    default: 'none: a new run',
  },
  preset: {
    kind: oneWord(TRAINING_PRESET_NAMES),
    group: 'Run:',
    describe:
      'Start a new run from a published recipe; flags stand above it. iwae-paper: Burda et al. 2016, K = 5, all 8 ' +
      'stages (docs/models.md)',
    default: 'none',
    onResume: 'refused',
  },
  config: {
    kind: CONFIG_OPTION,
    group: 'Run:',
    describe:
      "Start a new run from this file: another run's config.json, or one written by hand with what matters; flags " +
      'stand above it',
    default: 'none',
    onResume: 'refused',
  },
  workers: {
    kind: wholeNumber,
    group: 'Run:',
    alias: 'j',
    describe: 'Worker threads of each process, at most one a shard; their number changes no bit',
    default: 'all cores, at most --shards',
  },
  mpi: {
    kind: onOrOff,
    group: 'Run:',
    describe:
      'Train together with the other processes that mpirun or srun has started (docs/cluster.md); --no-mpi: alone',
    default: 'on where they are several',
  },
  mpiLibrary: {
    kind: pathTo('the path of a library or of a folder'),
    group: 'Run:',
    describe: 'The MPI library, or the folder of an installation',
    default: 'found (docs/cluster.md)',
  },
  worldSize: {
    kind: wholeNumber,
    group: 'Run:',
    describe: 'Refuse to train unless there are so many processes',
    default: 'as many as there are',
  },
  shardData: {
    kind: onOrOff,
    group: 'Run:',
    describe:
      'Hold the training images of the shards of this process alone, read anew for each epoch; changes no bit ' +
      '(docs/cluster.md)',
    default: 'off: each process holds all',
  },
  revectorize: {
    kind: onOrOff,
    group: 'Computation:',
    describe: 'Let V8 pair operations to 256 bits where that is known to work; changes no bit',
    default: 'on',
  },
  tile: {
    kind: oneWord(TILE_NAMES),
    group: 'Computation:',
    describe: 'Tile of the micro-kernels; changes no bit',
    default: 'the fastest known for this Node',
  },
  barrierTimeout: {
    kind: realNumber(POSITIVE),
    group: 'Computation:',
    describe: 'Seconds after which a worker that no longer answers counts as dead',
    default: String(BARRIER_TIMEOUT),
  },
  pictures: {
    kind: onOrOff,
    group: 'Output:',
    describe: 'Samples, reconstructions and (d = 2) the manifold after each epoch; --no-pictures: none',
    default: 'on',
  },
  preview: {
    kind: withoutFlag(wholeNumber.option, wholeNumber.takes),
    group: 'Output:',
    describe: 'Test images that the event `preview` has after each epoch. The flag `--preview` is a switch',
    default: 'no such event',
  },
  checkpointEvery: {
    kind: CHECKPOINT_EVERY,
    group: 'Output:',
    describe:
      "Write a checkpoint after so many steps, or so long after the last one, beside the one at each epoch's end; " +
      'changes no bit',
    default: "none but those at epochs' ends",
  },
  keepCheckpoints: {
    kind: wholeNumber,
    group: 'Output:',
    describe: 'How many checkpoints stay, the newest ones',
    default: '3',
  },
  logEvery: {
    kind: wholeNumber,
    group: 'Output:',
    describe: 'Steps between lines of metrics.jsonl',
    default: '100',
  },
  signal: {
    kind: withoutFlag(abortSignal, 'an `AbortSignal`'),
    group: 'Run:',
    describe: 'Aborting it stops the run after the step at hand, with a checkpoint',
    default: 'none',
  },
  onEvent: {
    kind: withoutFlag(functionOf<(event: RunEvent) => void>(), 'a function'),
    group: 'Output:',
    describe: 'Called with each event of the run (docs/library.md)',
    default: 'none',
  },
  hooks: {
    kind: withoutFlag(hooksOption, 'an object with `onStep`, `onEpoch` or `onCheckpoint`'),
    group: 'Output:',
    describe:
      'Functions that are told of steps, epochs and checkpoints, and may stop the run (docs/library.md)',
    default: 'none',
  },
} as const satisfies Readonly<Record<string, OptionField>>;

/** Each option with its row of one of the two tables. */
export const TRAIN_FIELDS: readonly (readonly [name: string, row: ConfigField | OptionField])[] = [
  ...HYPERPARAMETER_ROWS.filter(([, { onlyInConfig }]) => onlyInConfig !== true),
  ...Object.entries<OptionField>(RUN_OPTIONS),
];
