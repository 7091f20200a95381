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
 * Far above float32's rounding through these few small layers (values near 1, sums of at most 60 products:
 * γ₆₀ ≈ 4e-6 a layer, four layers), far below any mistake. The engine's exact bounds are tested in
 * test/backends.
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
  // A Monte-Carlo KL of many samples comes near the analytic one: five standard errors of the mean over all
  // examples.
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

function refuses(work: () => unknown, message: string): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(error.message, message);
    return true;
  });
}

test('arrays that do not fit are refused with a sentence', () => {
  const { size } = resolved.parameters;
  const multiple = 'expected a multiple of 60, one row after the other.';
  const short = new Float32Array(61);
  refuses(() => model.encode(short), `encode(): x holds 61 values, ${multiple}`);
  refuses(() => model.encode(new Float32Array(0)), `encode(): x holds 0 values, ${multiple}`);
  refuses(() => model.reconstruct(short), `reconstruct(): x holds 61 values, ${multiple}`);
  refuses(() => model.elbo(short), `elbo(): x holds 61 values, ${multiple}`);
  refuses(
    () => model.decode(new Float32Array(3)),
    'decode(): z holds 3 values, expected a multiple of 2, one row after the other.',
  );
  const bad = Float32Array.from(x);
  bad[60 + 3] = Number.NaN;
  refuses(() => model.elbo(bad), 'elbo(): x is NaN at row 1, column 3.');
  refuses(
    () => model.decode(Float32Array.of(0, 1, 2, -Infinity)),
    'decode(): z is -Infinity at row 1, column 1.',
  );
  const list = [1, 2] as unknown as Float32Array;
  refuses(() => model.encode(list), 'encode(): x is [1, 2], expected a Float32Array.');
  refuses(() => model.decode(list), 'decode(): z is [1, 2], expected a Float32Array.');
  const gradients = (parameters: Float32Array, count: number, epsilon: Float32Array) =>
    model.elboGradients(parameters, x.subarray(0, count * dimensions), epsilon);
  refuses(
    () => gradients(model.parameters, 3, new Float32Array(4)),
    'elboGradients(): epsilon holds 4 values, expected [3 examples, K samples, 2 latent dimensions].',
  );
  refuses(
    () => gradients(model.parameters, 1, Float32Array.of(0, Number.NaN)),
    'elboGradients(): epsilon is NaN at row 0, column 1.',
  );
  refuses(
    () => gradients(new Float32Array(3), 1, new Float32Array(2)),
    `The model convolutional has ${size} parameters, but 3 values were given.`,
  );
  refuses(
    () => gradients(model.parameters.fill(Number.NaN, 7), 1, new Float32Array(2)),
    'elboGradients(): parameters[7] is NaN, expected a finite number.',
  );
  refuses(
    () => new LatentModel(resolved, new Float32Array(1)),
    `The model convolutional has ${size} parameters, but 1 values were given.`,
  );
  refuses(
    () => new LatentModel(resolved, 5 as never),
    'LatentModel: parameters is 5, expected a Float32Array.',
  );
  refuses(
    () => new LatentModel(null as never, new Float32Array(1)),
    'LatentModel: model is null, expected a model as resolveModel returns it.',
  );
});

test('options that do not fit are refused with a sentence', () => {
  const seed = 'expected a whole number from 0 up, below 2^64 (a bigint above 2^53).';
  refuses(() => model.sample({ count: 0 }), 'sample(): count is 0, expected a positive integer.');
  refuses(() => model.elbo(x, { samples: 1.5 }), 'elbo(): samples is 1.5, expected a positive integer.');
  refuses(() => model.sample({ seed: -1 }), `sample(): seed is -1, ${seed}`);
  refuses(() => model.sample({ seed: 2n ** 64n }), `sample(): seed is 18446744073709551616, ${seed}`);
  refuses(() => model.reconstruct(x, { seed: 0.5 }), `reconstruct(): seed is 0.5, ${seed}`);
  const wrong = (options: object) => options as never;
  refuses(() => model.sample(wrong({ draw: 'yes' })), 'sample(): draw is "yes", expected true or false.');
  refuses(() => model.sample(wrong([5])), 'sample(): options is [5], expected an object.');
  refuses(
    () => model.sample(wrong({ cuont: 5 })),
    'sample(): there is no option "cuont"; did you mean "count"? Options are count, seed, draw.',
  );
  refuses(
    () => model.decode(Float32Array.of(0, 0), wrong({ as: 'pixels' })),
    'decode(): as is "pixels", expected "outputs", "means", "logits" or "probabilities".',
  );
  refuses(
    () => model.elbo(x, wrong({ kl: 'exact' })),
    'elbo(): kl is "exact", expected "analytic" or "monteCarlo".',
  );
  refuses(() => model.elbo(x, { beta: Number.NaN }), 'elbo(): beta is NaN, expected a number from 0 up.');
  refuses(
    () => model.elboGradients(model.parameters, x, x, wrong({ samples: 2 })),
    'elboGradients(): there is no option "samples". Options are objective, estimator, kl, beta.',
  );
  refuses(
    () => new LatentModel(resolved, model.parameters, wrong({ arithmetic: 'exact' })),
    'LatentModel: arithmetic is "exact", expected "portable" or "fused".',
  );
  refuses(
    () => model.elboGradients(model.parameters, x, x, wrong({ objective: 'vr' })),
    'elboGradients(): objective is "vr", expected "elbo" or "iwae".',
  );
  const likelihoods: [unknown, string][] = [
    ['gaussian', 'likelihood is "gaussian", expected an object'],
    [{ name: 'laplace', values: {} }, 'likelihood.name is "laplace", expected "bernoulli" or "gaussian"'],
    [{ name: 'gaussian' }, 'likelihood.values is missing'],
    [{ name: 'gaussian', values: {} }, 'likelihood.values.sigma is missing'],
    [
      { name: 'gaussian', values: { sigma: 0 } },
      'likelihood.values.sigma is 0, expected a number from 0.001 to 1000',
    ],
    [
      { name: 'gaussian', values: { sigma: 1, mu: 2 } },
      'likelihood.values has an unknown key "mu"; keys are sigma',
    ],
  ];
  for (const [likelihood, message] of likelihoods) {
    refuses(
      () => new LatentModel(resolved, model.parameters, wrong({ likelihood })),
      `LatentModel: ${message}.`,
    );
  }
});

test('sizes are checked before memory is taken', () => {
  refuses(
    () => model.sample({ count: 1e12 }),
    'sample(): count asks for 1000000000000 rows of 60 values, expected at most 17895697: a result may have 4 GiB. Ask for ' +
      'fewer at a time.',
  );
  assert.throws(() => model.elbo(x, { samples: 1e12 }), /^UsageError: The run needs more than 4 GiB/);
  // The model is as good as before.
  assert.equal(model.elbo(x.subarray(0, dimensions)).elbo.length, 1);
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
  assert.throws(
    () => gaussian.elboGradients(flat, images, noise, { estimator: 'score-function', kl: 'analytic' }),
    new UsageError('kl is analytic, but that of the estimator score-function is monteCarlo: leave it out.'),
  );
  const single = noise.subarray(0, noise.length / samples);
  assert.throws(
    () => gaussian.elboGradients(flat, images, single, { estimator: 'score-function-baseline' }),
    new UsageError(
      'elboGradients(): epsilon holds 1 draw of an example, but the estimator score-function-baseline takes 2 or more.',
    ),
  );
});

test('a Bernoulli model calls its outputs logits, and its means probabilities', () => {
  const z = Float32Array.from(draw(2 * latent, 9));
  assert.deepEqual(model.decode(z, { as: 'logits' }), model.decode(z, { as: 'outputs' }));
  assert.deepEqual(model.decode(z, { as: 'probabilities' }), model.decode(z, { as: 'means' }));
});
