import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ComparisonSettings,
  comparedVariants,
  comparisonOf,
  countBlocks,
  drawsOfBlock,
  type EstimatorComparison,
  GradientSums,
  requireComparable,
} from '#src/inference/estimatorComparison.js';
import { KernelRandom } from '#src/inference/kernelRandom.js';
import { LatentModel } from '#src/inference/latentModel.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { Purpose, randomKey } from '#src/kernels/stream.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import { resolveModel } from '#src/model/resolve.js';
import { ESTIMATORS } from '#src/objective/estimators/registry.js';
import { drawInputs, smallModels } from '../reference/smallModels.js';

const model = smallModels.find(({ name }) => name === 'dense')!;
const inputs = drawInputs(model, 3, 1, 7);
const parameters = Float32Array.from(inputs.parameters);
const x = Float32Array.from(inputs.x);
const positions = [4, 0, 9];
const key = randomKey(3n);
const platform = inferencePlatform('portable', false);
const likelihood = BERNOULLI;

function sumsOf(settings: ComparisonSettings): GradientSums {
  return new GradientSums({ model, parameters, likelihood, platform, key, x, positions, settings });
}

function compare(settings: ComparisonSettings): EstimatorComparison {
  const blocks = Array.from({ length: countBlocks(settings.draws) }, (_, block) => block);
  return comparisonOf(sumsOf(settings).ofBlocks(blocks), blocks.length, settings, 'standard-normal');
}

test('of the IWAE bound: sticking the landing has a bias, the others none, and the baseline lowers variance', () => {
  const { figures, squaredNorm } = compare({ objective: 'iwae', samples: 4, beta: 1, draws: 600 });
  assert.deepEqual(
    figures.map(({ estimator }) => estimator),
    Object.keys(ESTIMATORS),
  );
  assert.ok(squaredNorm.value > 4 * squaredNorm.standardError);
  for (const { estimator, squaredBias } of figures) {
    if (squaredBias === undefined) continue;
    const errors = squaredBias.value / squaredBias.standardError;
    if (estimator === 'sticking-the-landing') assert.ok(errors > 4, `${estimator}: ${errors}`);
    else assert.ok(Math.abs(errors) < 4, `${estimator}: ${errors} standard errors`);
  }
  const variance = Object.fromEntries(figures.map((row) => [row.estimator, row.variance.value]));
  assert.ok(variance['score-function-baseline']! < variance['score-function']!);
});

test('what is compared: with the KL of each, the default of a run first; the baseline from two draws on', () => {
  const of = (objective: 'elbo' | 'iwae', samples: number) =>
    comparedVariants(objective, samples, 'standard-normal').map(({ estimator, kl }) => `${estimator} ${kl}`);
  assert.deepEqual(of('elbo', 1), [
    'reparameterized analytic',
    'reparameterized monteCarlo',
    'score-function monteCarlo',
    'sticking-the-landing monteCarlo',
    'doubly-reparameterized monteCarlo',
  ]);
  assert.deepEqual(
    of('iwae', 2),
    Object.keys(ESTIMATORS).map((name) => `${name} monteCarlo`),
  );
});

/** The gradients of all draws by the library's own call, [draws][size of the encoder]. */
function gradientsOf(
  { objective, samples, beta, draws }: ComparisonSettings,
  { estimator, kl }: ReturnType<typeof comparedVariants>[number],
): Float64Array[] {
  const latentModel = new LatentModel(model, parameters);
  const random = new KernelRandom(platform.module, key);
  const width = samples * model.latent;
  const size = 6 * 7 + 7 + 7 * 6 + 6;
  return Array.from({ length: draws }, (_, draw) => {
    const epsilon = new Float32Array(positions.length * width);
    positions.forEach((position, i) => {
      random.normal(epsilon.subarray(i * width, (i + 1) * width), position, draw, Purpose.estimatorNoise);
    });
    const options = { objective, estimator, kl, beta };
    return Float64Array.from(
      latentModel.elboGradients(parameters, x, epsilon, options).gradient.subarray(0, size),
    );
  });
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** ‖mean‖² by all pairs of different draws. */
function pairMean(vectors: readonly Float64Array[]): number {
  return mean(vectors.flatMap((a, i) => vectors.flatMap((b, j) => (i === j ? [] : [dot(a, b)]))));
}

/** Half the mean squared distance of two different draws. */
function pairVariance(vectors: readonly Float64Array[]): number {
  const distance = (a: Float64Array, b: Float64Array) => dot(a, a) - 2 * dot(a, b) + dot(b, b);
  return mean(vectors.flatMap((a, i) => vectors.flatMap((b, j) => (i === j ? [] : [distance(a, b)])))) / 2;
}

function jackknife(vectors: readonly Float64Array[], of: (part: readonly Float64Array[]) => number): number {
  const count = countBlocks(vectors.length);
  const values = Array.from({ length: count }, (_, block) => {
    const { first, end } = drawsOfBlock(block, vectors.length);
    return of([...vectors.slice(0, first), ...vectors.slice(end)]);
  });
  const middle = mean(values);
  return Math.sqrt(((count - 1) / count) * values.reduce((sum, value) => sum + (value - middle) ** 2, 0));
}

for (const settings of [
  { objective: 'elbo', samples: 1, beta: 1, draws: 3 },
  { objective: 'elbo', samples: 2, beta: 0.5, draws: 45 },
  { objective: 'iwae', samples: 3, beta: 1, draws: 22 },
] as const) {
  test(`figures of ${settings.objective}, ${settings.draws} draws: those of the pairs of all draws`, () => {
    const { figures, squaredNorm } = compare(settings);
    const variants = comparedVariants(settings.objective, settings.samples, 'standard-normal');
    const usual = gradientsOf(settings, variants[0]!);
    // elboGradients rounds a gradient to float32 once more.
    const near = (found: number, expected: number, scale: number, what: string) =>
      assert.ok(
        Math.abs(found - expected) <= 1e-5 * scale,
        `${what} is ${found}, by pairs of draws ${expected}`,
      );
    const size = pairMean(usual) + pairVariance(usual);
    near(squaredNorm.value, pairMean(usual), size, 'the squared norm');
    near(squaredNorm.standardError, jackknife(usual, pairMean), size, 'its standard error');
    variants.forEach((variant, v) => {
      const own = gradientsOf(settings, variant);
      const { variance, squaredBias } = figures[v]!;
      const scale = size + pairMean(own) + pairVariance(own);
      const name = `${variant.estimator}, ${variant.kl}`;
      near(variance.value, pairVariance(own), scale, `${name}: the variance`);
      near(variance.standardError, jackknife(own, pairVariance), scale, `${name}: its standard error`);
      if (v === 0) {
        assert.equal(squaredBias, undefined);
        return;
      }
      const differences = own.map((gradient, draw) => gradient.map((value, i) => value - usual[draw]![i]!));
      near(squaredBias!.value, pairMean(differences), scale, `${name}: the squared bias`);
      const error = jackknife(differences, pairMean);
      near(squaredBias!.standardError, error, scale, `${name}: its standard error`);
    });
  });
}

test('blocks hold every draw once, and are the same whoever computes them', () => {
  for (const draws of [3, 19, 20, 21, 100]) {
    const blocks = Array.from({ length: countBlocks(draws) }, (_, block) => drawsOfBlock(block, draws));
    assert.equal(blocks[0]!.first, 0);
    assert.equal(blocks.at(-1)!.end, draws);
    blocks.forEach(({ first, end }, i) => {
      assert.ok(end > first);
      if (i > 0) assert.equal(first, blocks[i - 1]!.end);
    });
  }
  const settings = { objective: 'elbo', samples: 2, beta: 1, draws: 50 } as const;
  const together = sumsOf(settings).ofBlocks([0, 1, 2]);
  const alone = sumsOf(settings).ofBlocks([1]);
  for (const [name, values] of Object.entries(alone)) {
    assert.deepEqual(values, together[name]!.slice(values.length, 2 * values.length), name);
  }
});

test('of fewer than three blocks there are no figures; progress ends at 1', () => {
  const settings = { objective: 'elbo', samples: 1, beta: 1, draws: 3 } as const;
  const shares: number[] = [];
  const sums = sumsOf(settings).ofBlocks([0, 1], (share) => shares.push(share));
  assert.deepEqual(comparisonOf(sums, 2, settings, 'standard-normal').figures, []);
  assert.deepEqual(
    shares,
    Array.from({ length: 10 }, (_, i) => (i + 1) / 10),
  );
});

test('refused: a gradient that is not finite, and sums that have no room', () => {
  const settings = { objective: 'elbo', samples: 1, beta: 1, draws: 3 } as const;
  const far = parameters.map((value) => 1e30 * value);
  const options = { model, likelihood, platform, key, x, positions, settings };
  assert.throws(() => new GradientSums({ ...options, parameters: far }).ofBlocks([0]), {
    name: 'NotFiniteError',
    message: 'The reparameterized gradient of draw 0 is not finite.',
  });
  const wide = resolveModel({
    name: 'wide',
    input: [100, 100, 1],
    latent: 2,
    encoder: [{ type: 'flatten' }, { type: 'dense', units: 600 }, { type: 'dense', units: 'posterior' }],
    decoder: [{ type: 'dense', units: 'pixels' }],
  });
  assert.throws(() => requireComparable(wide, { ...settings, draws: 20 }), {
    name: 'UsageError',
    message:
      'The encoder of wide has 6003004 parameters. To compare estimators, 100 sums of its gradient have to be kept, which ' +
      'are 4.5 GiB: more than the 4 GiB that there may be.',
  });
  requireComparable(model, settings);
});
