// Runs with other objectives, likelihoods, optimizers and schedules: the bit contract, resuming, what is
// written and what is refused.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import {
  evaluate,
  loadModel,
  type ModelSpec,
  type TrainOptions,
  type TrainResult,
  train,
} from '#src/index.js';
import { OPTIMIZERS } from '#src/optimizer/registry.js';
import { readSafetensors } from '#src/runs/safetensors.js';
import { denseModel, smallData, smallModel } from './smallRun.js';
import { metricsOf, withTemporaryDirectory } from './temporaryRun.js';

const choices: Readonly<Record<string, TrainOptions>> = {
  'AdamW, Gaussian, cosine after a warm-up': {
    ...{ optimizer: 'adamw', weightDecay: 0.1, likelihood: 'gaussian', sigma: 0.2 },
    ...{ learningRateSchedule: 'cosine', warmupEpochs: 0.5 },
  },
  'SGD with momentum, IWAE bound': {
    ...{ optimizer: 'sgd', momentum: 0.9, objective: 'iwae', samples: 3, learningRate: 1e-3 },
  },
  'Adam, IWAE bound, doubly reparameterised': {
    ...{ objective: 'iwae', samples: 3, estimator: 'doubly-reparameterized' },
  },
  'Adam, score function with a baseline and beta': {
    ...{ samples: 2, beta: 0.5, estimator: 'score-function-baseline', learningRate: 1e-4 },
  },
  'Adam, decoder by HMC, two draws, beta': {
    ...{ inference: 'hmc', hmcTransitions: 2, hmcLeapfrogSteps: 3, hmcStepSize: 0.2, samples: 2, beta: 0.5 },
  },
  'Adam, decoder by HMC, portable': { inference: 'hmc', arithmetic: 'portable' },
  'Adam, clipped': { clipNorm: 2 },
  'SGD with momentum, clipped, uneven shards': {
    ...{ optimizer: 'sgd', momentum: 0.5, clipNorm: 3, shards: 11, learningRate: 1e-2 },
  },
  'Adam, mixture prior, two draws, beta': { prior: 'mixture', priorComponents: 3, samples: 2, beta: 0.5 },
  'AdamW, mixture prior, IWAE bound, score function': {
    ...{ prior: 'mixture', priorComponents: 2, optimizer: 'adamw', objective: 'iwae', samples: 3 },
    ...{ estimator: 'score-function-baseline', learningRate: 1e-4 },
  },
  'Adam, mixture prior, decoder by HMC, warm-up, portable': {
    ...{ prior: 'mixture', priorComponents: 3, inference: 'hmc', klWarmupEpochs: 1, arithmetic: 'portable' },
  },
  'SGD, IWAE bound with beta, Gaussian, warm-up': {
    ...{ optimizer: 'sgd', objective: 'iwae', samples: 2, beta: 0.5, klWarmupEpochs: 1 },
    ...{ likelihood: 'gaussian', learningRateSchedule: 'warmup', learningRate: 1e-4 },
  },
};

test('every optimizer that is not the default is among the choices', () => {
  const chosen = new Set(Object.values(choices).map(({ optimizer }) => optimizer));
  for (const name of Object.keys(OPTIMIZERS)) assert.ok(name === 'adam' || chosen.has(name as 'adam'), name);
});

const common = { pictures: false, epochs: 3, shards: 8, batchSize: 13, logEvery: 1 } as const;
const STEPS = 11;

interface Place {
  readonly out: string;
  readonly data: string;
}

async function inDirectory<T>(use: (place: Place) => Promise<T>): Promise<T> {
  return withTemporaryDirectory(async (directory) =>
    use({ out: join(directory, 'run'), data: await smallData(directory) }),
  );
}

function run(options: TrainOptions, place: Place): Promise<TrainResult> {
  return train({ ...common, maxSteps: STEPS, ...options, ...place });
}

for (const model of [smallModel, denseModel]) {
  for (const [name, options] of Object.entries(choices)) {
    test(`${model.name}, ${name}: the same bits on 1, 2, 3 and 8 workers, and when resumed`, async () => {
      const hashes = new Set<string>();
      for (const workers of [1, 2, 3, 8]) {
        hashes.add(
          (await inDirectory((place) => run({ ...options, model, workers }, place))).parametersSha256,
        );
      }
      const resumed = await inDirectory(async (place) => {
        await run({ ...options, model, workers: 2, maxSteps: 4 }, place);
        const { out, data } = place;
        return train({ resume: out, data, pictures: false, maxSteps: STEPS, workers: 3 });
      });
      hashes.add(resumed.parametersSha256);
      assert.equal(hashes.size, 1, [...hashes].join());
      const plain = await inDirectory((place) => run({ model, workers: 1 }, place));
      assert.ok(!hashes.has(plain.parametersSha256), 'the options change bits');
    });
  }
}

/** The lines of metrics.jsonl of a run in one go, and of the same run when it is stopped and resumed. */
async function wholeAndResumed<Line>(options: TrainOptions): Promise<readonly [Line[], Line[]]> {
  const linesOf = async (out: string) => (await metricsOf(out)) as Line[];
  const whole = await inDirectory(async (place) => linesOf((await run(options, place)).directory));
  const resumed = await inDirectory(async (place) => {
    await run({ ...options, maxSteps: 4 }, place);
    const { out, data } = place;
    await train({ resume: out, data, pictures: false, maxSteps: STEPS, workers: 2 });
    return linesOf(out);
  });
  return [whole, resumed];
}

test('an epoch that was stopped in its middle ends with the same means, the bound too', async () => {
  const options: TrainOptions = { model: denseModel, objective: 'iwae', samples: 3, workers: 1 };
  interface Epoch {
    readonly kind: string;
    readonly train: { readonly bound: number };
    readonly test: object;
  }
  const [whole, resumed] = (await wholeAndResumed<Epoch>(options)).map(
    (lines) => lines.find(({ kind }) => kind === 'epoch')!,
  ) as [Epoch, Epoch];
  assert.ok(Number.isFinite(whole.train.bound));
  assert.deepEqual(resumed.train, whole.train);
  assert.deepEqual(resumed.test, whole.test);
});

test('a decoder trained by HMC: the acceptance is told of each batch and each epoch, and goes on when resumed', async () => {
  const options = { model: denseModel, inference: 'hmc', hmcStepSize: 0.5 } as const;
  interface Line {
    readonly kind: string;
    readonly acceptance?: number;
    readonly train?: object;
    readonly test?: object;
  }
  const [whole, resumed] = await wholeAndResumed<Line>(options);
  for (const { kind, acceptance } of whole) {
    if (kind === 'batch') assert.ok(acceptance! > 0 && acceptance! <= 1, `acceptance ${acceptance}`);
  }
  const epochOf = (lines: readonly Line[]) => lines.find(({ kind }) => kind === 'epoch')!;
  const { train: trained, test: tested } = epochOf(whole);
  assert.deepEqual(Object.keys(trained!), ['elbo', 'logLikelihood', 'kl', 'acceptance']);
  assert.deepEqual(Object.keys(tested!), ['elbo', 'logLikelihood', 'kl']);
  assert.deepEqual(epochOf(resumed).train, trained);
});

test('a gradient that is clipped: its norm is told of each batch and each epoch, and goes on when resumed', async () => {
  const clipNorm = 7;
  interface Line {
    readonly kind: string;
    readonly gradientNorm?: number;
    readonly clipped?: number;
    readonly train?: { readonly gradientNorm: number; readonly clipped: number };
    readonly test?: object;
  }
  const options = { model: denseModel, clipNorm } as const;
  const [whole, resumed] = await wholeAndResumed<Line>(options);
  const ofEpoch = whole.slice(
    0,
    whole.findIndex(({ kind }) => kind === 'epoch'),
  );
  for (const { gradientNorm, clipped } of ofEpoch) {
    assert.ok(gradientNorm! > 0, `norm ${gradientNorm}`);
    assert.equal(clipped, gradientNorm! > clipNorm ? 1 : 0);
  }
  const { train: trained, test: tested } = whole[ofEpoch.length]!;
  // Some are, some are not, or the test would not see which.
  assert.ok(trained!.clipped > 0 && trained!.clipped < 1, `${trained!.clipped} clipped`);
  assert.ok(trained!.gradientNorm > Math.min(...ofEpoch.map(({ gradientNorm }) => gradientNorm!)));
  assert.deepEqual(Object.keys(tested!), ['elbo', 'logLikelihood', 'kl']);
  assert.deepEqual(resumed.find(({ kind }) => kind === 'epoch')!.train, trained);
});

test('a gradient that is nowhere too long is not changed by a bit', async () => {
  for (const model of [smallModel, denseModel]) {
    const plain = await inDirectory((place) => run({ model, workers: 2 }, place));
    const clipped = await inDirectory((place) => run({ model, workers: 2, clipNorm: 1e9 }, place));
    assert.equal(clipped.parametersSha256, plain.parametersSha256);
  }
});

test('what is default is not in the config, what is chosen is, with all its numbers; a checkpoint holds its state', async () => {
  await inDirectory(async (place) => {
    const { config, directory } = await run({ model: denseModel, maxSteps: 1 }, place);
    const json = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as object;
    assert.deepEqual(Object.keys(json), [
      ...[
        'formatVersion',
        'model',
        'latent',
        'data',
        'binarize',
        'seed',
        'batchSize',
        'shards',
        'samples',
        'kl',
      ],
      ...['beta', 'klWarmupEpochs', 'learningRate', 'adam', 'epochs', 'arithmetic', 'backend'],
    ]);
    assert.deepEqual(config.adam, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
  });
  await inDirectory(async (place) => {
    const options = { optimizer: 'sgd', momentum: 0.5, likelihood: 'gaussian', objective: 'iwae' } as const;
    const { config, directory } = await run({ model: denseModel, maxSteps: 1, ...options }, place);
    const { optimizer, momentum, likelihood, sigma, objective, kl, adam, binarize } = config;
    assert.deepEqual(
      { optimizer, momentum, likelihood, sigma, objective, kl, adam, binarize },
      { ...options, sigma: 0.2, kl: 'monteCarlo', adam: undefined, binarize: 'none' },
    );
    const file = join(directory, 'checkpoints', 'step-000000001.safetensors');
    const groups = new Set([...readSafetensors(file).tensors.keys()].map((name) => name.split('/')[0]));
    assert.deepEqual(groups, new Set(['parameters', 'sgd']));
  });
});

test('metrics tell the bound beside the ELBO of the same draws, and the learning rate', async () => {
  await inDirectory(async (place) => {
    const options = { model: denseModel, objective: 'iwae', samples: 4 } as const;
    const schedule = { learningRateSchedule: 'warmup', warmupEpochs: 1, learningRate: 0.008 } as const;
    const { directory, test: terms } = await run({ ...options, ...schedule, maxSteps: 8 }, place);
    const lines = readFileSync(join(directory, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const metrics = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const batches = metrics.filter(({ kind }) => kind === 'batch');
    assert.deepEqual(
      batches.map(({ learningRate }) => learningRate),
      Array.from({ length: 8 }, (_, step) => (0.008 * (step + 1)) / 8),
    );
    for (const { bound, elbo } of batches) assert.ok((bound as number) > (elbo as number));
    const epoch = metrics.find(({ kind }) => kind === 'epoch') as { test: { bound: number; elbo: number } };
    assert.ok(epoch.test.bound > epoch.test.elbo);
    assert.equal(terms?.bound, epoch.test.bound);
    const { out: path, data } = place;
    const evaluation = await evaluate({ path, data });
    assert.equal(evaluation.test.bound, terms?.bound);
    assert.ok(evaluation.boundStandardError! > 0);
    assert.deepEqual(evaluation.protocol.objective, 'iwae');
    const many = await evaluate({ path, data, samples: 60 });
    assert.ok(many.test.bound! > evaluation.test.bound!, 'more samples: a tighter bound');
    const elbo = await evaluate({ path, data, objective: 'elbo', kl: 'analytic' });
    assert.equal(elbo.test.bound, undefined);
  });
});

test('a bound that is not the objective of the run can be evaluated; its KL follows', async () => {
  await inDirectory(async (place) => {
    await run({ model: denseModel, maxSteps: 1 }, place);
    const { out: path, data } = place;
    const { test: terms, protocol } = await evaluate({ path, data, objective: 'iwae', samples: 5 });
    assert.equal(protocol.kl, 'monteCarlo');
    assert.ok(terms.bound! > terms.elbo);
    await assert.rejects(
      evaluate({ path, data, objective: 'iwae', kl: 'analytic' }),
      new UsageError(
        'The objective iwae is computed from the densities of the draws, so its KL is not analytic: leave --kl out.',
      ),
    );
  });
});

test('a Gaussian model decodes to means, has draws around them, and no probabilities', async () => {
  await inDirectory(async (place) => {
    await run({ model: denseModel, likelihood: 'gaussian', sigma: 0.25, maxSteps: 1 }, place);
    const { model } = await loadModel(place.out);
    const z = Float32Array.of(0.1, -0.2, 0.3);
    assert.deepEqual(model.decode(z, { as: 'means' }), model.decode(z, { as: 'outputs' }));
    assert.throws(() => model.decode(z, { as: 'probabilities' }), {
      name: 'UsageError',
      message: 'A Gaussian likelihood has no probabilities: decode to outputs or means.',
    });
    const means = model.sample({ count: 50, seed: 3 });
    const draws = model.sample({ count: 50, seed: 3, draw: true });
    assert.deepEqual(model.sample({ count: 50, seed: 3, draw: true }), draws);
    const residuals = draws.map((value, i) => (value - means[i]!) / 0.25);
    const variance = residuals.reduce((sum, r) => sum + r * r, 0) / residuals.length;
    // The mean square of n = 3200 standard normals has a standard deviation of √(2 / n) = 0.025; the limit is
    // four of them.
    assert.ok(Math.abs(variance - 1) < 0.1, `variance ${variance}`);
    assert.deepEqual(model.sample({ count: 5, seed: 3, draw: true }), draws.subarray(0, 5 * 64));
  });
});

test('a decoder that ends in a sigmoid is refused with Bernoulli pixels, and trained with Gaussian ones', async () => {
  const ends: ModelSpec = {
    name: 'means',
    latent: 2,
    encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
    decoder: [
      { type: 'dense', units: 'pixels', activation: 'sigmoid' },
      { type: 'reshape', shape: [8, 8, 1] },
    ],
  };
  await inDirectory(async (place) => {
    await assert.rejects(
      run({ model: ends, maxSteps: 1 }, place),
      new UsageError(
        'Model "means": the decoder ends in the activation "sigmoid", but the Bernoulli likelihood takes logits and ' +
          'applies the sigmoid itself. Leave the activation out, or ask for the likelihood gaussian.',
      ),
    );
    const { out } = place;
    assert.equal(existsSync(out), false);
    await run({ model: ends, likelihood: 'gaussian', maxSteps: 1 }, place);
    const { model } = await loadModel(out);
    const means = model.decode(Float32Array.of(3, -3), { as: 'means' });
    assert.ok(means.every((mean) => mean > 0 && mean < 1));
  });
});

const refused: readonly (readonly [options: TrainOptions, message: string])[] = [
  [
    { prior: 'mixture', kl: 'analytic' },
    'kl is "analytic", but the KL to the prior mixture has no closed form: leave kl out, or ask for "monteCarlo"',
  ],
  [
    { priorComponents: 3 },
    'priorComponents is a number of the prior mixture, but the prior of this run is standard-normal: leave it out, or ' +
      'ask for the prior mixture',
  ],
  [{ optimizer: 'no-such' as 'adam' }, 'optimizer is "no-such", expected "adam", "adamw" or "sgd"'],
  [{ objective: 'vr' as 'elbo' }, 'objective is "vr", expected "elbo" or "iwae"'],
  [{ likelihood: 'laplace' as 'gaussian' }, 'likelihood is "laplace", expected "bernoulli" or "gaussian"'],
  [
    { learningRateSchedule: 'step' as 'cosine' },
    'learningRateSchedule is "step", expected "constant", "warmup", "cosine" or "stages"',
  ],
  [
    { momentum: 0.9 },
    'momentum is a number of the optimizer sgd, but the optimizer of this run is adam: leave it out, or ask for the ' +
      'optimizer sgd',
  ],
  [
    { optimizer: 'sgd', weightDecay: 0.1 },
    'weightDecay is a number of the optimizer adamw, but the optimizer of this run is sgd: leave it out, or ask for the ' +
      'optimizer adamw',
  ],
  [
    { sigma: 1 },
    'sigma is a number of the likelihood gaussian, but the likelihood of this run is bernoulli: leave it out, or ask for ' +
      'the likelihood gaussian',
  ],
  [
    { warmupEpochs: 1 },
    'warmupEpochs is a number of the learning-rate schedule warmup, but the learning-rate schedule of this run is ' +
      'constant: leave it out, or ask for the learning-rate schedule warmup',
  ],
  [{ optimizer: 'sgd', momentum: 1 }, 'momentum is 1, expected a number from 0 up to, but not, 1'],
  [{ optimizer: 'adamw', weightDecay: -1 }, 'weightDecay is -1, expected a number from 0 up'],
  [{ likelihood: 'gaussian', sigma: 0 }, 'sigma is 0, expected a number from 0.001 to 1000'],
  [
    { estimator: 'sticking-the-landing', kl: 'analytic' },
    'kl is "analytic", but the estimator sticking-the-landing is computed from the densities of the draws, so its KL is ' +
      '"monteCarlo": leave kl out, or ask for that',
  ],
  [
    { estimator: 'score-function-baseline', samples: 1 },
    'samples is 1, but the estimator score-function-baseline compares each draw with the others of its example: ask for ' +
      '2 or more',
  ],
  [
    { inference: 'hmc', objective: 'iwae' },
    'inference is "hmc", which goes with the objective elbo, but the objective of this run is iwae',
  ],
  [
    { inference: 'hmc', estimator: 'sticking-the-landing' },
    'inference is "hmc", which goes with the estimator reparameterized, but the estimator of this run is ' +
      'sticking-the-landing',
  ],
  [
    { hmcTransitions: 2 },
    'hmcTransitions is a number of the inference hmc, but the inference of this run is variational: leave it out, or ' +
      'ask for the inference hmc',
  ],
  [
    { objective: 'iwae', kl: 'analytic' },
    'kl is "analytic", but the objective iwae is computed from the densities of the draws, so its KL is "monteCarlo": ' +
      'leave kl out, or ask for that',
  ],
];

for (const [options, message] of refused) {
  test(`refused: ${message}`, async () => {
    await inDirectory(async (place) => {
      // Each option by itself first, then all of them together.
      const source = message.includes(', expected ') ? 'train()' : 'The options of this run';
      const error = new UsageError(`${source}: ${message}.`);
      await assert.rejects(run({ model: denseModel, ...options }, place), error);
    });
  });
}

test('refused: an estimator that the backend cannot compute', async () => {
  await inDirectory(async (place) => {
    await assert.rejects(
      run({ model: denseModel, estimator: 'sticking-the-landing', backend: 'cpu' }, place),
      new UsageError(
        'The backend cpu computes the reparameterized gradient alone, but the estimator of this run is ' +
          'sticking-the-landing: take the backend simd (--backend simd).',
      ),
    );
  });
});

test('refused: an inference that the backend has not, and more transitions than can be counted', async () => {
  await inDirectory(async (place) => {
    await assert.rejects(
      run({ model: denseModel, inference: 'hmc', backend: 'cpu' }, place),
      new UsageError(
        'The backend cpu has variational inference alone, but the inference of this run is hmc: take the backend simd ' +
          '(--backend simd).',
      ),
    );
    await assert.rejects(
      run({ model: denseModel, inference: 'hmc', hmcTransitions: 1000, epochs: 1_000_000 }, place),
      new UsageError(
        '1000000 epochs of this run are 8000000 steps, with 1000 transitions of HMC each: more than the 4294967296 that ' +
          'have random numbers of their own. Ask for fewer epochs or transitions.',
      ),
    );
    assert.equal(existsSync(place.out), false);
  });
});

test('a resumed run keeps what it was started with; a cosine run keeps its epochs, another may grow', async () => {
  await inDirectory(async (place) => {
    const options = { optimizer: 'adamw', learningRateSchedule: 'cosine' } as const;
    await run({ model: denseModel, ...options, maxSteps: 2 }, place);
    const { out, data } = place;
    const again = { data, resume: out, pictures: false, maxSteps: 3 } as const;
    const keep =
      'A run that is resumed keeps every setting that decides its bits: leave this one out, or start a new run.';
    await assert.rejects(
      train({ ...again, optimizer: 'adam' }),
      new UsageError(`${out} was started with optimizer "adamw", but "adam" is asked for now. ${keep}`),
    );
    await assert.rejects(
      train({ ...again, weightDecay: 0.5 }),
      new UsageError(`${out} was started with weightDecay 0.01, but 0.5 is asked for now. ${keep}`),
    );
    await assert.rejects(
      train({ ...again, epochs: 5 }),
      new UsageError(
        `${out} was started with epochs 3, but 5 is asked for now. Its learning-rate schedule, cosine, ends with the ` +
          'epochs, so their number decides bits: leave it out, or start a new run.',
      ),
    );
    const resumed = await train({ ...again, ...options, epochs: 3 });
    assert.equal(resumed.step, 3);
  });
});
