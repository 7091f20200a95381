import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatentModel, presetSpec, resolveModel, UsageError } from '#src/index.js';
import { referenceElbo } from '../reference/elbo.js';
import { layerForward } from '../reference/network.js';
import { draw, drawInputs, smallModels } from '../reference/smallModels.js';

const [convolutional] = smallModels;
const resolved = convolutional!;
const { latent, dimensions } = resolved;
const parameters = draw(resolved.parameters.size, 1, 1 / 2);
const model = new LatentModel(resolved, Float32Array.from(parameters));

/** More than one chunk of 64, and not a multiple. */
const n = 70;
const x = Float32Array.from(draw(n * dimensions, 2).map(Math.abs));

/**
 * Far above float32's rounding through these few small layers (values near 1, sums of at most 60 products: γ₆₀ ≈ 4e-6
 * a layer, four layers), far below any mistake. The engine's exact bounds are tested in test/backends.
 */
const tolerance = 1e-4;

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    assert.ok(error <= tolerance, `${what}[${i}] is ${actual[i]}, expected ${expected[i]}`);
  }
}

function referenceOutput(layers: typeof resolved.encoder, rows: number, input: Float64Array): Float64Array {
  return layers.reduce((value, layer) => layerForward(layer, rows, parameters, value), input);
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

test('encode gives mean and log-variance of each example', () => {
  const posterior = referenceOutput(resolved.encoder, n, Float64Array.from(x));
  const { mu, logvar } = model.encode(x);
  const column = (from: number) =>
    Float64Array.from({ length: n * latent }, (_, i) => {
      return posterior[Math.floor(i / latent) * 2 * latent + from + (i % latent)]!;
    });
  assertNear(mu, column(0), 'mu');
  assertNear(logvar, column(latent), 'logvar');
});

test('decode gives logits, or their logistic', () => {
  const z = draw(n * latent, 3, 2);
  const logits = referenceOutput(resolved.decoder, n, z);
  assertNear(model.decode(Float32Array.from(z)), logits, 'logits');
  assertNear(model.decode(Float32Array.from(z), { as: 'probabilities' }), logits.map(sigmoid), 'means');
});

test('sample: means by default, draws on request; sample i depends on the seed and i alone', () => {
  const hundred = model.sample({ seed: 5 });
  assert.equal(hundred.length, 100 * dimensions);
  assert.ok(hundred.every((mean) => mean > 0 && mean < 1));
  assert.deepEqual(model.sample({ count: 7, seed: 5 }), hundred.slice(0, 7 * dimensions));
  assert.notDeepEqual(model.sample({ count: 7, seed: 6 }), hundred.slice(0, 7 * dimensions));
  const draws = model.sample({ seed: 5, draw: true });
  assert.ok(draws.every((pixel) => pixel === 0 || pixel === 1));
  // The draws' mean is the means' mean, within five standard errors of Bernoulli draws.
  const average = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = hundred.reduce((sum, p) => sum + p * (1 - p), 0) / hundred.length ** 2;
  assert.ok(Math.abs(average(draws) - average(hundred)) < 5 * Math.sqrt(variance));
  assert.deepEqual(model.sample({ count: 3, seed: 5, draw: true }), draws.slice(0, 3 * dimensions));
});

test('reconstruct decodes the mean of q(z|x), or a sample of it', () => {
  const { mu } = model.encode(x);
  assert.deepEqual(model.reconstruct(x), model.decode(mu, { as: 'probabilities' }));
  const sampled = model.reconstruct(x, { seed: 1 });
  assert.deepEqual(model.reconstruct(x, { seed: 1 }), sampled);
  assert.notDeepEqual(model.reconstruct(x, { seed: 2 }), sampled);
});

test('elbo: per example in nats; K, beta and the kind of KL count, chunks do not', () => {
  const { elbo, logLikelihood, kl } = model.elbo(x, { seed: 3 });
  assertNear(
    elbo,
    logLikelihood.map((term, i) => term - kl[i]!),
    'elbo',
  );
  const first = model.elbo(x.subarray(0, 5 * dimensions), { seed: 3 });
  assert.deepEqual(first.elbo, elbo.slice(0, 5));
  assert.deepEqual(
    model.elbo(x, { seed: 3, beta: 0.5 }).elbo,
    logLikelihood.map((term, i) => term - 0.5 * kl[i]!),
  );
  assert.notDeepEqual(model.elbo(x, { seed: 4 }).logLikelihood, logLikelihood);
  assert.deepEqual(model.elbo(x, { seed: 4 }).kl, kl);
  // A Monte-Carlo KL of many samples comes near the analytic one: five standard errors of the mean over all examples.
  const monteCarlo = model.elbo(x, { seed: 3, samples: 200, kl: 'monteCarlo' }).kl;
  const differences = monteCarlo.map((term, i) => term - kl[i]!);
  const mean = differences.reduce((sum, d) => sum + d, 0) / n;
  const deviation = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1));
  assert.ok(Math.abs(mean) < (5 * deviation) / Math.sqrt(n), `${mean} against ${deviation}`);
});

test('elboGradients is the gradient of the mean loss for the noise given', () => {
  const inputs = drawInputs(resolved, 3, 2, 9);
  const options = { kl: 'monteCarlo', beta: 0.3 } as const;
  const actual = model.elboGradients(
    Float32Array.from(inputs.parameters),
    Float32Array.from(inputs.x),
    Float32Array.from(inputs.epsilon),
    options,
  );
  const reference = referenceElbo(resolved, inputs.parameters, inputs.x, inputs.epsilon, {
    ...options,
    samples: 2,
    reduction: 'mean',
  });
  assertNear(actual.gradient, reference.gradient, 'gradient');
  assertNear(actual.logLikelihood, reference.logLikelihood, 'log-likelihood');
  assertNear(
    actual.elbo,
    reference.logLikelihood.map((term, i) => term - 0.3 * reference.kl[i]!),
    'elbo',
  );
});

test('what does not fit is refused with a sentence', () => {
  const refuses = (work: () => unknown, message: string) =>
    assert.throws(work, (error) => error instanceof UsageError && error.message === message);
  refuses(
    () => model.encode(new Float32Array(61)),
    'x holds 61 values: expected a multiple of 60, one row after the other.',
  );
  refuses(
    () => model.encode(new Float32Array(0)),
    'x holds 0 values: expected a multiple of 60, one row after the other.',
  );
  const bad = Float32Array.from(x);
  bad[60 + 3] = Number.NaN;
  refuses(() => model.elbo(bad), 'x is NaN at row 1, column 3.');
  refuses(() => model.sample({ count: 0 }), 'count is 0: expected a whole number from 1 up.');
  refuses(() => model.elbo(x, { samples: 1.5 }), 'samples is 1.5: expected a whole number from 1 up.');
  refuses(() => model.sample({ seed: -1 }), 'The seed is -1: expected a whole number from 0 up, below 2^64.');
  refuses(
    () => model.sample({ seed: 2n ** 64n }),
    'The seed is 18446744073709551616: expected a whole number from 0 up, below 2^64.',
  );
  refuses(
    () => model.elboGradients(model.parameters, x.subarray(0, 3 * dimensions), new Float32Array(4)),
    'epsilon holds 4 values: expected [3 examples, K samples, 2 latent dimensions].',
  );
  refuses(
    () => model.elboGradients(new Float32Array(3), x.subarray(0, dimensions), new Float32Array(2)),
    `The model convolutional has ${resolved.parameters.size} parameters, but 3 values were given.`,
  );
  refuses(
    () => new LatentModel(resolved, new Float32Array(1)),
    `The model convolutional has ${resolved.parameters.size} parameters, but 1 values were given.`,
  );
});

test('the presets encode and decode at their real size', () => {
  for (const name of ['cvae', 'mlp', 'iwae'] as const) {
    const preset = resolveModel(presetSpec(name, [28, 28, 1]), { input: [28, 28, 1] });
    const real = new LatentModel(preset, Float32Array.from(draw(preset.parameters.size, 4, 1 / 16)));
    const images = Float32Array.from(draw(2 * 784, 5).map(Math.abs));
    const { mu } = real.encode(images);
    assert.equal(mu.length, 2 * preset.latent);
    assert.equal(real.reconstruct(images).length, 2 * 784);
  }
});

test('elboGradients of the importance-weighted bound, with Gaussian pixels: bound and gradient', () => {
  const likelihood = { name: 'gaussian', values: { sigma: 0.5 } } as const;
  const samples = 3;
  const inputs = drawInputs(resolved, 5, samples, 7);
  const gaussian = new LatentModel(resolved, Float32Array.from(inputs.parameters), { likelihood });
  const [flat, images, noise] = [inputs.parameters, inputs.x, inputs.epsilon].map((values) =>
    Float32Array.from(values),
  ) as [Float32Array, Float32Array, Float32Array];
  const actual = gaussian.elboGradients(flat, images, noise, { objective: 'iwae', beta: 0.5 });
  const expected = referenceElbo(resolved, inputs.parameters, inputs.x, inputs.epsilon, {
    ...{ samples, kl: 'monteCarlo', beta: 0.5, reduction: 'mean', objective: 'iwae', likelihood },
  });
  assertNear(actual.bound!, expected.bound, 'bound');
  assertNear(actual.gradient, expected.gradient, 'gradient');
  assert.equal(gaussian.elboGradients(flat, images, noise).bound, undefined);
  assert.throws(
    () => gaussian.elboGradients(flat, images, noise, { objective: 'iwae', kl: 'analytic' }),
    new UsageError('kl is analytic, but that of the IWAE bound is monteCarlo: leave it out.'),
  );
});

test('a Bernoulli model calls its outputs logits, and its means probabilities', () => {
  const z = Float32Array.from(draw(2 * latent, 9));
  assert.deepEqual(model.decode(z, { as: 'logits' }), model.decode(z, { as: 'outputs' }));
  assert.deepEqual(model.decode(z, { as: 'probabilities' }), model.decode(z, { as: 'means' }));
});
