// The decoder's gradient at draws that HMC refines: its expectation against that of log p(x) by quadrature.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimdBackend, simdMemory } from '#src/backends/simd/engine.js';
import { NONE } from '#src/kernels/address.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import type { Choice } from '#src/model/hyperparameter.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import { type PriorName, STANDARD_NORMAL } from '#src/model/priors/registry.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import { type InferenceName, refinementOf } from '#src/objective/inferences/registry.js';
import { words } from '../kernels/float32.js';
import { referenceObjective } from '../reference/elbo.js';
import { drawInputs } from '../reference/smallModels.js';

const tiny: ModelSpec = {
  name: 'tiny',
  input: [3, 2, 1],
  latent: 1,
  encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
  decoder: [
    { type: 'dense', units: 3, activation: 'tanh' },
    { type: 'dense', units: 'pixels' },
  ],
};
const encoderSize = 6 * 2 + 2;
const { x } = roundedInputs(resolveModel(tiny));

/** The decoder's weights are large, so that the posterior is far from q and no Gaussian. */
function roundedInputs(model: Model) {
  const inputs = drawInputs(model, 1, 1, 5);
  return {
    parameters: Float32Array.from(inputs.parameters, (value, i) => (i < encoderSize ? value : 3 * value)),
    x: Float32Array.from(inputs.x, (value) => Math.round(value)),
  };
}

/** A model, its parameters, and the gradient of −log p(x). */
interface Case {
  readonly model: Model;
  readonly parameters: Float32Array;
  readonly exact: Float64Array;
}

function caseOf(prior: Choice<PriorName>): Case {
  const model = resolveModel(tiny, { prior });
  const { parameters } = roundedInputs(model);
  return { model, parameters, exact: exactGradient(model, parameters) };
}

/**
 * log p(x) = log E[w], w = p(x|z) p(z) / q(z|x), z = mu + sigma epsilon: the trapezoid rule has the precision
 * of float64 for functions as smooth as this one that vanish at both ends.
 */
function logMarginal(model: Model, at: Float64Array): number {
  const grid = Array.from({ length: 641 }, (_, i) => (i - 320) / 20);
  const repeated = Float64Array.from({ length: grid.length * x.length }, (_, i) => x[i % x.length]!);
  const options = { samples: 1, beta: 1, objective: 'iwae', kl: 'monteCarlo' } as const;
  const logWeights = referenceObjective(model, at, repeated, Float64Array.from(grid), options);
  const terms = grid.map((e, i) => Math.exp(logWeights[i]! - (e * e) / 2));
  const most = Math.max(...terms);
  assert.ok(terms[0]! < 1e-12 * most && terms.at(-1)! < 1e-12 * most, 'the grid covers the posterior');
  return Math.log(terms.reduce((sum, term) => sum + term, 0) / 20 / Math.sqrt(2 * Math.PI));
}

/** −d log p(x)/d(parameter) by central differences. */
function exactGradient(model: Model, parameters: Float32Array): Float64Array {
  const h = 1e-4;
  return Float64Array.from(parameters, (value, i) => {
    const moved = (by: number) => logMarginal(model, Float64Array.from(parameters).with(i, value + by));
    return (moved(-h) - moved(h)) / (2 * h);
  });
}

const CHUNK = 400;
const CHUNKS = 40;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

interface Moments {
  readonly mean: Float64Array;
  readonly standardError: Float64Array;
  readonly acceptance: number;
}

/** Moments of the gradient of one example, over draws of all random numbers. */
function momentsOf(
  { model, parameters }: Case,
  inference: Choice<InferenceName>,
  samples: number,
  beta = 1,
): Moments {
  const { size } = model.parameters;
  const transitions = refinementOf(inference)?.transitions ?? 0;
  const arena = new Arena(0);
  const place = {
    parameters: arena.floats(size),
    gradient: arena.floats(size),
    x: arena.floats(CHUNK * x.length),
    epsilon: arena.floats(CHUNK * samples),
    momenta: arena.floats(transitions * CHUNK * samples),
    uniforms: arena.floats(transitions * CHUNK * 2 * samples),
    terms: { logLikelihood: arena.doubles(CHUNK), kl: arena.doubles(CHUNK), bound: arena.doubles(CHUNK) },
    acceptance: arena.doubles(CHUNK),
  };
  const options = {
    ...({ kl: 'monteCarlo', objective: 'elbo', tile: '4x8' } as const),
    ...{ model, samples, inference, likelihood: BERNOULLI },
    ...{ examples: CHUNK, parameters: place.parameters, packed: arena.end },
  } as const;
  const workspace = simdMemory({ ...options, workspace: NONE }).packedEnd;
  const pages = Math.ceil(simdMemory({ ...options, workspace }).workspaceEnd / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernels = bindKernels(compileKernels('portable'), memory);
  const backend = new SimdBackend(kernels, memory, { ...options, workspace });
  const floats = new Float32Array(memory.buffer);
  const next = words(17);
  const uniform = () => next() / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const fill = (address: number, count: number, draw: () => number) => {
    for (let i = 0; i < count; i++) floats[address / FLOAT + i] = Math.fround(draw());
  };
  floats.set(parameters, place.parameters / FLOAT);
  for (let i = 0; i < CHUNK; i++) floats.set(x, place.x / FLOAT + i * x.length);
  backend.prepare(0, 1);
  const { momenta, uniforms, acceptance, epsilon } = place;
  const shard = {
    ...{ count: CHUNK, parts: 1, bounds: Int32Array.of(0, CHUNK), x: place.x, epsilon, ...place.terms },
    refinement: { momenta, uniforms, pitch: CHUNK, acceptance },
  };
  const [sum, squares] = [new Float64Array(size), new Float64Array(size)];
  let accepted = 0;
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    fill(epsilon, CHUNK * samples, normal);
    fill(momenta, transitions * CHUNK * samples, normal);
    // Rounded to float32, a number just below 1 would become 1.
    fill(uniforms, transitions * CHUNK * 2 * samples, () => Math.floor(uniform() * 2 ** 24) / 2 ** 24);
    backend.objectiveGradient(shard, beta, place.gradient);
    for (let i = 0; i < size; i++) {
      const value = floats[place.gradient / FLOAT + i]! / CHUNK;
      sum[i]! += value;
      squares[i]! += value * value;
    }
    accepted += new Float64Array(memory.buffer, acceptance, CHUNK).reduce((a, b) => a + b, 0);
  }
  const mean = sum.map((value) => value / CHUNKS);
  const standardError = squares.map((value, i) => Math.sqrt((value / CHUNKS - mean[i]! ** 2) / (CHUNKS - 1)));
  return { mean, standardError, acceptance: accepted / CHUNK / CHUNKS };
}

/**
 * The largest difference from the exact gradient of decoder and prior, by what chance allows: 5 standard
 * errors.
 */
function worst({ mean, standardError }: Moments, { exact }: Case): number {
  // The rounding of float32 comes on top of chance.
  const off = mean.map((value, i) => Math.abs(value - exact[i]!) / (5 * standardError[i]! + 1e-5));
  return Math.max(...off.subarray(encoderSize));
}

/** Steps large enough that many proposals are refused. */
const hmc = (hmcTransitions: number): Choice<InferenceName> => ({
  name: 'hmc',
  values: { hmcTransitions, hmcLeapfrogSteps: 2, hmcStepSize: 1.4 },
});

const cases: Readonly<Record<string, Case>> = {
  'standard normal': caseOf(STANDARD_NORMAL),
  mixture: caseOf({ name: 'mixture', values: { priorComponents: 3 } }),
};

for (const [name, own] of Object.entries(cases)) {
  for (const samples of [1, 2]) {
    test(`${name}, K = ${samples}: after many transitions the gradient of decoder and prior has that of log p(x) as its expectation`, () => {
      const moments = momentsOf(own, hmc(25), samples);
      assert.ok(worst(moments, own) <= 1, `off by ${worst(moments, own)} of what is allowed`);
      assert.ok(moments.acceptance > 0.3 && moments.acceptance < 0.9, `acceptance ${moments.acceptance}`);
    });

    test(`${name}, K = ${samples}: beta is no matter of decoder and prior`, () => {
      const [whole, half] = [1, 0.5].map((beta) => momentsOf(own, hmc(1), samples, beta).mean);
      assert.deepEqual(half!.subarray(encoderSize), whole!.subarray(encoderSize));
      assert.notDeepEqual(half!.subarray(0, encoderSize), whole!.subarray(0, encoderSize));
    });

    test(`${name}, K = ${samples}: draws from q have another expectation, and one transition comes closer`, () => {
      const fromQ = worst(momentsOf(own, { name: 'variational', values: {} }, samples), own);
      const one = worst(momentsOf(own, hmc(1), samples), own);
      assert.ok(fromQ > 3, `draws from q are off by ${fromQ} of what is allowed`);
      assert.ok(one < fromQ, `one transition: off by ${one}, none: ${fromQ}`);
    });
  }
}
