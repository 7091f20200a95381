// Training, done again slowly in float64: order, batches, noise, warm-up, weighting of the last batch, Adam;
// and with other objective, likelihood, optimizer and schedule.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { epochOrder } from '#src/data/epochOrder.js';
import { loadDataset, loadModel, type Model, resolveModel, train } from '#src/index.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { Purpose, randomKey } from '#src/kernels/stream.js';
import type { Choice } from '#src/model/hyperparameter.js';
import { initializeParameters } from '#src/model/initialize.js';
import { BERNOULLI, type LikelihoodName } from '#src/model/likelihoods/registry.js';
import type { ObjectiveName } from '#src/objective/registry.js';
import { distance } from '../reference/conditioning.js';
import { referenceElbo } from '../reference/elbo.js';
import { denseModel, smallData, smallModel, trainCount } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const batchSize = 16;
const samples = 2;
const beta = 0.7;
const stepsPerEpoch = Math.ceil(trainCount / batchSize);
/** Two epochs, the first one with the KL's warm-up; the last batch of each has 4 examples. */
const steps = 2 * stepsPerEpoch;
const adam = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const seed = 2n ** 40n + 3n;

/**
 * What is random in a run, from the kernels under their own tests: initial parameters, the epochs' order, the
 * noise.
 */
function randomness(model: Model) {
  const arena = new Arena(0);
  const parameters = arena.floats(model.parameters.size);
  const scratch = arena.reserve(64);
  const bits = arena.reserve(Math.ceil(trainCount / 16) * 64);
  const noise = arena.floats(batchSize * samples * model.latent);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const kernels = bindKernels(compileKernels('portable'), memory);
  const key = randomKey(seed);
  const order = (epoch: number) => {
    const permutation = new Uint32Array(trainCount);
    epochOrder(kernels, memory.buffer, permutation, bits, key, epoch);
    return permutation;
  };
  const epsilon = (step: number, examples: number) => {
    const width = samples * model.latent;
    const { low, high } = key;
    kernels.randomNormal({
      out: noise,
      rows: examples,
      count: width,
      key0: low,
      key1: high,
      position: 0,
      step,
      purpose: Purpose.trainingNoise,
      scratch,
    });
    return Float64Array.from(new Float32Array(memory.buffer, noise, examples * width));
  };
  initializeParameters({ kernels, memory, model, key, parameters, scratch });
  const initial = Float64Array.from(new Float32Array(memory.buffer, parameters, model.parameters.size));
  return { order, epsilon, initial };
}

interface Mistakes {
  /** Divides a partial batch's sum by the full batch's size. */
  readonly unweighted?: boolean;
  /** Steps by which the warm-up comes late. */
  readonly lateWarmup?: number;
  /** Steps by which the learning rate comes late. */
  readonly lateRate?: number;
  /** Does not correct the bias of an average that begins at zero. */
  readonly biasedAverage?: boolean;
}

/** What a run may have in place of the ELBO, Bernoulli pixels, Adam and a constant learning rate. */
interface Variant {
  readonly objective?: ObjectiveName;
  readonly likelihood?: Choice<LikelihoodName>;
  readonly weightDecay?: number;
  readonly clipNorm?: number;
  readonly rateAt?: (step: number) => number;
  /** Gives the moving average of the parameters in their place. */
  readonly emaDecay?: number;
}

function replay(
  model: Model,
  pixels: Uint8Array,
  mistakes: Mistakes = {},
  {
    objective = 'elbo',
    likelihood = BERNOULLI,
    weightDecay = 0,
    clipNorm = Number.POSITIVE_INFINITY,
    rateAt = () => adam.learningRate,
    emaDecay,
  }: Variant = {},
): Float64Array {
  const binary = likelihood === BERNOULLI;
  const { order, epsilon, initial } = randomness(model);
  const parameters = initial.slice();
  const m = new Float64Array(parameters.length);
  const v = new Float64Array(parameters.length);
  const decaying = new Float64Array(parameters.length);
  for (let step = 0; step < steps; step++) {
    const epoch = Math.floor(step / stepsPerEpoch);
    const first = (step % stepsPerEpoch) * batchSize;
    const indices = order(epoch).slice(first, first + batchSize);
    const x = new Float64Array(indices.length * model.dimensions);
    indices.forEach((image, row) => {
      for (let i = 0; i < model.dimensions; i++) {
        const grey = pixels[image * model.dimensions + i]!;
        x[row * model.dimensions + i] = binary ? Number(grey > 127) : Math.fround(grey / 255);
      }
    });
    const warmth = Math.min(1, (step + 1 - (mistakes.lateWarmup ?? 0)) / stepsPerEpoch);
    const { gradient } = referenceElbo(model, parameters, x, epsilon(step, indices.length), {
      samples,
      kl: 'monteCarlo',
      beta: beta * warmth,
      reduction: 'sum',
      objective,
      likelihood,
    });
    const learningRate = rateAt(Math.max(0, step - (mistakes.lateRate ?? 0)));
    const examples = mistakes.unweighted ? batchSize : indices.length;
    const norm = Math.hypot(...gradient) / examples;
    const clipping = Math.min(1, clipNorm / norm);
    for (let i = 0; i < parameters.length; i++) {
      const g = (gradient[i]! / examples) * clipping;
      m[i] = adam.beta1 * m[i]! + (1 - adam.beta1) * g;
      v[i] = adam.beta2 * v[i]! + (1 - adam.beta2) * g * g;
      const mean = m[i]! / (1 - adam.beta1 ** (step + 1));
      const variance = v[i]! / (1 - adam.beta2 ** (step + 1));
      parameters[i]! *= 1 - learningRate * weightDecay;
      parameters[i]! -= (learningRate * mean) / (Math.sqrt(variance) + adam.epsilon);
      if (emaDecay !== undefined) decaying[i] = emaDecay * decaying[i]! + (1 - emaDecay) * parameters[i]!;
    }
  }
  if (emaDecay === undefined) return parameters;
  const correction = mistakes.biasedAverage ? 1 : 1 - emaDecay ** steps;
  return decaying.map((value) => value / correction);
}

test('two epochs on workers are two epochs of Adam in float64', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    const options = {
      data,
      seed,
      beta,
      batchSize,
      samples,
      model: smallModel,
      kl: 'monteCarlo',
      klWarmupEpochs: 1,
      binarize: 'threshold',
      pictures: false,
      workers: 2,
    } as const;
    const trained = await train({ ...options, out: join(directory, 'run'), epochs: 2 });
    const { train: set } = loadDataset(data);
    const model = resolveModel(smallModel, { input: [set.height, set.width, 1] });
    const expected = replay(model, set.pixels);

    // Roundings of 6e-8 pass through sums of some hundred terms and Adam's quotient, 14 times: some 1e-5 of
    // the way that the parameters went. The limit is 1e-4 of it; each mistake that this test is for must lie
    // a hundred times further.
    const limit = 1e-4 * distance(expected, randomness(model).initial);
    assert.ok(
      distance(trained.parameters, expected) < limit,
      `${distance(trained.parameters, expected)} of ${limit}`,
    );
    for (const mistake of [{ unweighted: true }, { lateWarmup: 1 }, { lateWarmup: -1 }]) {
      const wrong = distance(replay(model, set.pixels, mistake), expected);
      assert.ok(wrong > 100 * limit, `${JSON.stringify(mistake)}: ${wrong} of ${limit}`);
    }
  });
});

test('two epochs of the importance-weighted bound, Gaussian pixels, AdamW and a cosine are those of float64', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    const sigma = 0.5;
    const weightDecay = 0.5;
    const trained = await train({
      ...{ data, seed, beta, batchSize, samples, model: smallModel, pictures: false, workers: 2 },
      ...{ objective: 'iwae', likelihood: 'gaussian', sigma, klWarmupEpochs: 1, epochs: 2 },
      ...{ optimizer: 'adamw', weightDecay, learningRateSchedule: 'cosine', warmupEpochs: 0.5 },
      out: join(directory, 'run'),
    });
    const { train: set } = loadDataset(data);
    const model = resolveModel(smallModel, { input: [set.height, set.width, 1] });
    const warm = Math.round(0.5 * stepsPerEpoch);
    const variant: Variant = {
      objective: 'iwae',
      likelihood: { name: 'gaussian', values: { sigma } },
      weightDecay,
      rateAt: (step) =>
        adam.learningRate *
        (step < warm ? (step + 1) / warm : (1 + Math.cos((Math.PI * (step - warm)) / (steps - warm))) / 2),
    };
    const expected = replay(model, set.pixels, {}, variant);
    // As above.
    const limit = 1e-4 * distance(expected, randomness(model).initial);
    assert.ok(
      distance(trained.parameters, expected) < limit,
      `${distance(trained.parameters, expected)} of ${limit}`,
    );
    const others: readonly [Mistakes, Variant][] = [
      [{ unweighted: true }, variant],
      [{ lateWarmup: 1 }, variant],
      [{ lateRate: 1 }, variant],
      [{}, { ...variant, objective: 'elbo' }],
      [{}, { ...variant, likelihood: { name: 'gaussian', values: { sigma: 0.6 } } }],
      [{}, { ...variant, weightDecay: 0.4 }],
    ];
    for (const [mistake, other] of others) {
      const wrong = distance(replay(model, set.pixels, mistake, other), expected);
      assert.ok(wrong > 10 * limit, `${JSON.stringify([mistake, other])}: ${wrong} of ${limit}`);
    }
  });
});

test('two epochs in which gradients are clipped are those of float64, with slots and by owners', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    const clipNorm = 3;
    for (const spec of [smallModel, { ...denseModel, training: smallModel.training! }]) {
      const trained = await train({
        ...{ data, seed, beta, batchSize, samples, kl: 'monteCarlo', pictures: false, workers: 2 },
        ...{ model: spec, binarize: 'threshold', klWarmupEpochs: 1, epochs: 2, clipNorm },
        out: join(directory, spec.name),
      });
      const { train: set } = loadDataset(data);
      const model = resolveModel(spec, { input: [set.height, set.width, 1] });
      const expected = replay(model, set.pixels, {}, { clipNorm });
      // As above.
      const limit = 1e-4 * distance(expected, randomness(model).initial);
      const found = distance(trained.parameters, expected);
      assert.ok(found < limit, `${spec.name}: ${found} of ${limit}`);
      for (const other of [{}, { clipNorm: 1.1 * clipNorm }]) {
        const wrong = distance(replay(model, set.pixels, {}, other), expected);
        assert.ok(wrong > 10 * limit, `${spec.name}, ${JSON.stringify(other)}: ${wrong} of ${limit}`);
      }
    }
  });
});

test('the average of two epochs is that of float64, its bias corrected', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    const emaDecay = 0.9;
    const { directory: out } = await train({
      ...{ data, seed, beta, batchSize, samples, model: smallModel, pictures: false, workers: 2 },
      ...{ kl: 'monteCarlo', klWarmupEpochs: 1, binarize: 'threshold', epochs: 2, emaDecay },
      out: join(directory, 'run'),
    });
    const { model: trained } = await loadModel(out);
    const { train: set } = loadDataset(data);
    const model = resolveModel(smallModel, { input: [set.height, set.width, 1] });
    const expected = replay(model, set.pixels, {}, { emaDecay });
    // As above.
    const limit = 1e-4 * distance(expected, randomness(model).initial);
    const off = distance(trained.parameters, expected);
    assert.ok(off < limit, `${off} of ${limit}`);
    const others: readonly [Mistakes, Variant][] = [
      [{}, {}],
      [{}, { emaDecay: 0.89 }],
      [{ biasedAverage: true }, { emaDecay }],
      [{ unweighted: true }, { emaDecay }],
    ];
    for (const [mistake, other] of others) {
      const wrong = distance(replay(model, set.pixels, mistake, other), expected);
      assert.ok(wrong > 10 * limit, `${JSON.stringify([mistake, other])}: ${wrong} of ${limit}`);
    }
  });
});
