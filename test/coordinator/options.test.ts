// What a program can hand to the library by mistake: a sentence that names the option, before anything is
// read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EvaluateOptions,
  evaluate,
  loadDataset,
  loadModel,
  presetSpec,
  resolveModel,
  type TrainOptions,
  train,
  UsageError,
} from '#src/index.js';

const checkpointTimes = 'expected a number of steps, such as 500, or a time with its unit: 30s, 5m or 2h';
const positiveInteger = 'expected a positive integer';
const seed = 'expected a whole number from 0 up, below 2^64 (a bigint above 2^53)';
const binarizations = 'expected "threshold", "dynamic", "static" or "none"';
const objectives = 'expected "elbo" or "iwae"';
const backends = 'expected "simd", "wasm", "native" or "cpu"';

const dataExpected =
  'expected the path of a directory of IDX files, or an object with images, height and width';

/** Every option with a value of the wrong type, in the order of the tables and so of messages. */
const wrong: Record<keyof TrainOptions, readonly (readonly [value: unknown, message: string])[]> = {
  model: [
    [null, 'model is null, expected the name of a preset, the path of a JSON file, or a model as an object'],
    [5, 'model is 5, expected the name of a preset, the path of a JSON file, or a model as an object'],
    [{ name: 'm' }, 'model: latent is missing'],
  ],
  latent: [[-2, `latent is -2, ${positiveInteger}`]],
  data: [
    [5, `data is 5, ${dataExpected}`],
    ['', `data is "", ${dataExpected}`],
    ['a\0b', `data is "a\\u0000b", ${dataExpected}`],
    [null, `data is null, ${dataExpected}`],
    [[new Uint8Array(3)], `data is a list, ${dataExpected}`],
    [
      { train: new Uint8Array(3) },
      'data has an unknown key "train"; keys are images, height, width, channels, labels, testImages, testLabels, ' +
        'testCount, name',
    ],
    [
      { images: [1, 2], height: 1, width: 1 },
      'data.images is a list, expected a Uint8Array of bytes from 0 (black) to 255 (white)',
    ],
  ],
  binarize: [[true, `binarize is true, ${binarizations}`]],
  seed: [
    ['1', `seed is "1", ${seed}`],
    [2 ** 53, `seed is 9007199254740992, ${seed}`],
  ],
  batchSize: [[1.5, `batchSize is 1.5, ${positiveInteger}`]],
  shards: [[0, `shards is 0, ${positiveInteger}`]],
  samples: [[[], `samples is an empty list, ${positiveInteger}`]],
  kl: [['exact', 'kl is "exact", expected "analytic" or "monteCarlo"']],
  beta: [[-1, 'beta is -1, expected a number from 0 up']],
  klWarmupEpochs: [['1', 'klWarmupEpochs is "1", expected a number from 0 up']],
  learningRate: [[0, 'learningRate is 0, expected a positive number']],
  objective: [['IWAE', `objective is "IWAE", ${objectives}`]],
  estimator: [
    [
      'reinforce',
      'estimator is "reinforce", expected "reparameterized", "score-function", "score-function-baseline", ' +
        '"sticking-the-landing" or "doubly-reparameterized"',
    ],
  ],
  inference: [['mcmc', 'inference is "mcmc", expected "variational" or "hmc"']],
  hmcTransitions: [[0, 'hmcTransitions is 0, expected a whole number from 1 to 1000']],
  hmcLeapfrogSteps: [[1.5, 'hmcLeapfrogSteps is 1.5, expected a whole number from 1 to 1000']],
  hmcStepSize: [[0, 'hmcStepSize is 0, expected a positive number']],
  likelihood: [
    ['normal', 'likelihood is "normal", expected "bernoulli" or "gaussian"'],
    [
      { name: 'gaussian', values: { sigma: 1 } },
      'likelihood is an object, expected "bernoulli" or "gaussian"',
    ],
  ],
  sigma: [[0, 'sigma is 0, expected a number from 0.001 to 1000']],
  prior: [['vamp', 'prior is "vamp", expected "standard-normal" or "mixture"']],
  priorComponents: [[0, 'priorComponents is 0, expected a whole number from 1 to 1000']],
  optimizer: [[1, 'optimizer is 1, expected "adam", "adamw" or "sgd"']],
  weightDecay: [[-1, 'weightDecay is -1, expected a number from 0 up']],
  momentum: [[1, 'momentum is 1, expected a number from 0 up to, but not, 1']],
  learningRateSchedule: [
    [null, 'learningRateSchedule is null, expected "constant", "warmup", "cosine" or "stages"'],
  ],
  warmupEpochs: [['1', 'warmupEpochs is "1", expected a number from 0 up']],
  clipNorm: [[-1, 'clipNorm is -1, expected a number from 0 up']],
  emaDecay: [
    [1, 'emaDecay is 1, expected a number from 0 up to, but not, 1'],
    ['0.9', 'emaDecay is "0.9", expected a number from 0 up to, but not, 1'],
  ],
  epochs: [[Number.NaN, `epochs is NaN, ${positiveInteger}`]],
  arithmetic: [['exact', 'arithmetic is "exact", expected "portable" or "fused"']],
  backend: [['gpu', `backend is "gpu", ${backends}`]],
  onNan: [['go', 'onNan is "go", expected "stop" or "skip"']],
  stages: [[0, `stages is 0, ${positiveInteger}`]],
  maxSteps: [[null, `maxSteps is null, ${positiveInteger}`]],
  out: [
    [5, 'out is 5, expected the path of a new directory'],
    ['', 'out is "", expected the path of a new directory'],
    ['a\0b', 'out is "a\\u0000b", expected the path of a new directory'],
  ],
  resume: [[true, "resume is true, expected the path of a run's directory"]],
  preset: [['iwae', 'preset is "iwae", expected "iwae-paper"']],
  config: [
    [5, 'config is 5, expected the path of a config.json, or a config as an object'],
    ['', 'config is "", expected the path of a config.json, or a config as an object'],
    [[], 'config is an empty list, expected the path of a config.json, or a config as an object'],
    [{ epochs: 0 }, 'config: epochs is 0, expected a positive integer'],
    [
      { momentum: 0.5 },
      'config: momentum is a number of the optimizer sgd, but the optimizer of this run is adam: leave it out, or ask for ' +
        'the optimizer sgd',
    ],
  ],
  workers: [['2', `workers is "2", ${positiveInteger}`]],
  mpi: [['yes', 'mpi is "yes", expected true or false']],
  mpiLibrary: [[5, 'mpiLibrary is 5, expected the path of a library or of a folder']],
  worldSize: [[0, `worldSize is 0, ${positiveInteger}`]],
  shardData: [['yes', 'shardData is "yes", expected true or false']],
  revectorize: [['no', 'revectorize is "no", expected true or false']],
  tile: [['9x9', 'tile is "9x9", expected "4x8", "6x8", "4x16" or "6x16"']],
  barrierTimeout: [[-1, 'barrierTimeout is -1, expected a positive number']],
  pictures: [['no', 'pictures is "no", expected true or false']],
  preview: [[0, `preview is 0, ${positiveInteger}`]],
  checkpointEvery: [
    [0, `checkpointEvery is 0, ${checkpointTimes}`],
    [1.5, `checkpointEvery is 1.5, ${checkpointTimes}`],
    ['0m', `checkpointEvery is "0m", ${checkpointTimes}`],
    ['5 d', `checkpointEvery is "5 d", ${checkpointTimes}`],
    [true, `checkpointEvery is true, ${checkpointTimes}`],
  ],
  keepCheckpoints: [[0, `keepCheckpoints is 0, ${positiveInteger}`]],
  logEvery: [[0, `logEvery is 0, ${positiveInteger}`]],
  signal: [
    [5, 'signal is 5, expected an AbortSignal'],
    [new AbortController(), 'signal is an object, expected an AbortSignal'],
  ],
  onEvent: [[5, 'onEvent is 5, expected a function']],
  hooks: [
    [5, 'hooks is 5, expected an object'],
    [[], 'hooks is an empty list, expected an object'],
    [{ onStep: 'stop' }, 'hooks.onStep is "stop", expected a function'],
    [
      { onEpoc: () => {} },
      'hooks has an unknown key "onEpoc" (did you mean "onEpoch"?); keys are onStep, onEpoch, onCheckpoint',
    ],
    [new Date(), 'hooks has no method onStep, onEpoch, onCheckpoint'],
  ],
};

function refusedWith(message: string) {
  return (error: unknown): true => {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(error.message, message);
    return true;
  };
}

for (const [option, values] of Object.entries(wrong)) {
  test(`train() refuses a wrong ${option}`, async () => {
    for (const [value, message] of values) {
      await assert.rejects(train({ [option]: value } as TrainOptions), refusedWith(`train(): ${message}.`));
    }
  });
}

test('train() refuses an option that there is not, and names the nearest', async () => {
  const options = `Options are ${Object.keys(wrong).join(', ')}.`;
  const refuses = (given: object, message: string) =>
    assert.rejects(train(given as TrainOptions), refusedWith(`train(): ${message}`));
  await refuses({ workres: 2 }, `there is no option "workres"; did you mean "workers"? ${options}`);
  await refuses({ 'batch-size': 2 }, `there is no option "batch-size"; did you mean "batchSize"? ${options}`);
  await refuses({ frobnicate: 2 }, `there is no option "frobnicate". ${options}`);
  await refuses(null as never, 'options is null, expected an object.');
  await refuses([{}], 'options is a list of 1, expected an object.');
});

test('evaluate() refuses what it does not take', async () => {
  const refuses = (given: unknown, message: string) =>
    assert.rejects(evaluate(given as EvaluateOptions), refusedWith(`evaluate(): ${message}`));
  const path = "expected the path of a run's directory or of a checkpoint file";
  await refuses(undefined, 'options is undefined, expected an object.');
  await refuses('runs/one', 'options is "runs/one", expected an object.');
  await refuses({}, `path is missing, ${path}.`);
  await refuses({ path: 5 }, `path is 5, ${path}.`);
  await refuses({ path: 'x', data: 5 }, `data is 5, ${dataExpected}.`);
  await refuses(
    { path: 'x', data: { height: 2 } },
    'data.images is missing, expected a Uint8Array of bytes from 0 (black) to 255 (white).',
  );
  await refuses({ path: 'x', objective: 'kl' }, `objective is "kl", ${objectives}.`);
  await refuses({ path: 'x', samples: 0 }, `samples is 0, ${positiveInteger}.`);
  await refuses({ path: 'x', kl: 1 }, 'kl is 1, expected "analytic" or "monteCarlo".');
  await refuses({ path: 'x', binarize: '' }, `binarize is "", ${binarizations}.`);
  await refuses({ path: 'x', seed: -1n }, `seed is -1, ${seed}.`);
  await refuses({ path: 'x', workers: 1.5 }, `workers is 1.5, ${positiveInteger}.`);
  await refuses({ path: 'x', backend: 'gpu' }, `backend is "gpu", ${backends}.`);
  await refuses({ path: 'x', onProgress: {} }, 'onProgress is an object, expected a function.');
  await refuses(
    { path: 'x', sample: 5 },
    'there is no option "sample"; did you mean "samples"? Options are path, data, objective, samples, kl, binarize, seed, workers, ' +
      'backend, onProgress, ema, mpi, mpiLibrary, worldSize.',
  );
});

test('loadModel, loadDataset, presetSpec and resolveModel refuse values of other types', async () => {
  await assert.rejects(
    loadModel(5 as never),
    refusedWith("loadModel(): path is 5, expected the path of a run's directory or of a checkpoint file."),
  );
  assert.throws(
    () => loadDataset({} as never),
    refusedWith(
      'loadDataset(): data.images is missing, expected a Uint8Array of bytes from 0 (black) to 255 (white).',
    ),
  );
  assert.throws(() => loadDataset(7 as never), refusedWith(`loadDataset(): data is 7, ${dataExpected}.`));
  assert.throws(
    () => loadDataset(null as never),
    refusedWith(`loadDataset(): data is null, ${dataExpected}.`),
  );
  assert.throws(() => presetSpec(5 as never, [28, 28, 1]), /^UsageError: There is no model preset 5\./);
  assert.throws(
    () => presetSpec('cvae', null as never),
    refusedWith('presetSpec(): input is null, expected a list [height, width, channels].'),
  );
  assert.throws(
    () => resolveModel(null as never),
    refusedWith(
      'The model: the document is null, expected a model: an object with name, latent, encoder and decoder.',
    ),
  );
  assert.throws(
    () => resolveModel(presetSpec('mlp', [8, 8, 1]), { input: [8, 8, 1], latnet: 3 } as never),
    refusedWith(
      'resolveModel(): there is no option "latnet"; did you mean "latent"? Options are input, latent, prior.',
    ),
  );
});
