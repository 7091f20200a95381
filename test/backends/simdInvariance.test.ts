// What must not change a bit of the simd engine's results: micro-batches, who packs the weights, earlier
// shards.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microBatchSize, SimdBackend, simdMemory } from '#src/backends/simd/engine.js';
import { NONE } from '#src/kernels/address.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { TILE_NAMES, type TileName } from '#src/kernels/tiles/tile.js';
import type { Choice } from '#src/model/hyperparameter.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import { presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import type { InferenceName } from '#src/objective/inferences/registry.js';
import { drawInputs, smallModels } from '../reference/smallModels.js';

const input = [28, 28, 1] as const;
const module = compileKernels('portable');

const TRANSITIONS = 2;

interface Run {
  readonly gradient: Float32Array;
  readonly logLikelihood: Float64Array;
  readonly kl: Float64Array;
  readonly acceptance: Float64Array;
}

/**
 * One shard of n examples on an engine that takes `shardSize` at most, its weights packed by `ranks` ranks in
 * turn.
 */
function run(
  model: Model,
  n: number,
  samples: number,
  shardSize: number,
  ranks = 1,
  repeats = 1,
  tile: TileName = '4x8',
  inference?: Choice<InferenceName>,
): Run {
  const arena = new Arena(0);
  const size = model.parameters.size;
  const place = {
    parameters: arena.floats(size),
    gradient: arena.floats(size),
    x: arena.floats(n * model.dimensions),
    epsilon: arena.floats(n * samples * model.latent),
    logLikelihood: arena.doubles(n),
    kl: arena.doubles(n),
    acceptance: arena.doubles(n),
    momenta: arena.floats(TRANSITIONS * n * samples * model.latent),
    uniforms: arena.floats(TRANSITIONS * n * 2 * samples),
  };
  const options = {
    model,
    samples,
    kl: 'analytic',
    objective: 'elbo',
    inference,
    likelihood: BERNOULLI,
    tile,
    examples: shardSize,
    parameters: place.parameters,
  } as const;
  const packed = arena.end;
  const workspace = simdMemory({ ...options, packed, workspace: NONE }).packedEnd;
  const { workspaceEnd } = simdMemory({ ...options, packed, workspace });
  const pages = Math.ceil(workspaceEnd / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const backend = new SimdBackend(bindKernels(module, memory), memory, { ...options, packed, workspace });
  const floats = (address: number, count: number) => new Float32Array(memory.buffer, address, count);
  const inputs = drawInputs(model, n, samples, 5);
  floats(place.parameters, size).set(inputs.parameters.map((value) => value / 8));
  floats(place.x, inputs.x.length).set(inputs.x);
  floats(place.epsilon, inputs.epsilon.length).set(inputs.epsilon);
  for (let rank = ranks - 1; rank >= 0; rank--) backend.prepare(rank, ranks);
  const { x, epsilon, logLikelihood, kl, momenta, uniforms, acceptance } = place;
  const normals = drawInputs(model, TRANSITIONS * n, samples, 6).epsilon;
  floats(momenta, normals.length).set(normals);
  const drawn = drawInputs(model, TRANSITIONS * n * 2, samples, 7).epsilon.slice(
    0,
    TRANSITIONS * n * 2 * samples,
  );
  floats(uniforms, drawn.length).set(drawn.map((value) => Math.abs(value) % 1));
  const refinement = inference && { momenta, uniforms, pitch: n, acceptance };
  for (let i = 0; i < repeats; i++) {
    const bounds = Int32Array.of(0, n);
    const terms = { logLikelihood, kl, bound: NONE };
    const shard = { count: n, parts: 1, bounds, x, epsilon, ...terms, refinement };
    backend.objectiveGradient(shard, 1, place.gradient);
  }
  return {
    gradient: floats(place.gradient, size).slice(),
    logLikelihood: new Float64Array(memory.buffer, logLikelihood, n).slice(),
    kl: new Float64Array(memory.buffer, kl, n).slice(),
    acceptance: new Float64Array(memory.buffer, acceptance, n).slice(),
  };
}

/** A preset, or a small model of the tests: two of these have all layers that no preset has. */
function modelNamed(name: string): Model {
  const small = smallModels.find((model) => model.name === name);
  return small ?? resolveModel(presetSpec(name, input), { input });
}

for (const [name, samples] of [
  ['cvae', 1],
  ['mlp', 1],
  ['iwae', 3],
  ['mixed', 2],
  ['blocks', 2],
] as const) {
  const model = modelNamed(name);
  const n = 7;
  test(`${name}: micro-batches of 1, 2, 3 or all examples give the same bits`, () => {
    const whole = run(model, n, samples, n);
    assert.ok(whole.gradient.every(Number.isFinite));
    for (const shardSize of [1, 2, 3]) {
      assert.equal(microBatchSize(model, samples, shardSize), shardSize);
      assert.deepEqual(run(model, n, samples, shardSize), whole, `micro-batches of ${shardSize}`);
    }
  });

  test(`${name}: weights packed by 1, 3 or 8 ranks, and a second shard on the same engine, give the same bits`, () => {
    const whole = run(model, n, samples, n);
    assert.deepEqual(run(model, n, samples, n, 3), whole);
    assert.deepEqual(run(model, n, samples, n, 8), whole);
    assert.deepEqual(run(model, n, samples, n, 1, 2), whole);
  });
}

const hmc: Choice<InferenceName> = {
  name: 'hmc',
  values: { hmcTransitions: TRANSITIONS, hmcLeapfrogSteps: 2, hmcStepSize: 0.2 },
};

for (const [name, samples] of [
  ['cvae', 1],
  ['mlp', 2],
  ['mixed', 2],
] as const) {
  const model = modelNamed(name);
  const n = 7;
  const refined = (shardSize: number, tile?: TileName) => run(model, n, samples, shardSize, 1, 2, tile, hmc);

  test(`${name}, draws refined by HMC: micro-batches and tiles give the same bits; the encoder's are those of the ELBO`, () => {
    const whole = refined(n);
    assert.ok(whole.acceptance.every((value) => value > 0 && value <= 1));
    for (const shardSize of [1, 2, 3]) assert.deepEqual(refined(shardSize), whole, `${shardSize}`);
    for (const tile of TILE_NAMES) assert.deepEqual(refined(n, tile), whole, tile);
    const plain = run(model, n, samples, n);
    assert.deepEqual(whole.logLikelihood, plain.logLikelihood);
    assert.deepEqual(whole.kl, plain.kl);
    for (const { name: entry, offset, shape } of model.parameters.entries) {
      const end = offset + shape.reduce((product, size) => product * size, 1);
      const [refinedPart, plainPart] = [whole, plain].map(({ gradient }) => gradient.slice(offset, end));
      if (entry.startsWith('encoder')) assert.deepEqual(refinedPart, plainPart, entry);
      else assert.notDeepEqual(refinedPart, plainPart, entry);
    }
  });
}

for (const name of ['cvae', 'iwae', 'mixed', 'blocks'] as const) {
  test(`${name}: every tile gives the same bits`, () => {
    const model = modelNamed(name);
    const whole = run(model, 5, 2, 5);
    for (const tile of TILE_NAMES) assert.deepEqual(run(model, 5, 2, 5, 1, 1, tile), whole, tile);
  });
}

test('a shard without examples has a gradient of zeros', () => {
  const model = resolveModel(presetSpec('mlp', input), { input });
  const { gradient } = run(model, 0, 1, 1);
  assert.ok(gradient.every((value) => value === 0));
});
