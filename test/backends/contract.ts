// What every backend must do, whatever computes it. Each backend's test file runs these cases.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BERNOULLI, LIKELIHOODS } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import { presetSpec } from '#src/model/presets.js';
import { PRIORS } from '#src/model/priors/registry.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import { klEstimatesOf } from '#src/objective/estimators/registry.js';
import { OBJECTIVES, type ObjectiveName, objectiveOf } from '#src/objective/registry.js';
import { type GoldenCase, goldenCases, goldenInputs, goldenName } from '../golden/golden.js';
import { distance, type NormwiseBound, normwiseBound, tensorDistances } from '../reference/conditioning.js';
import { type ElboOptions, type ElboTerms, referenceElbo } from '../reference/elbo.js';
import { type BoundedElbo, boundedElbo } from '../reference/errorBound.js';
import { drawInputs, smallModels, smallSpecs } from '../reference/smallModels.js';
import { BackendHarness, type BackendKind, type Inputs, type Outputs } from './backendHarness.js';

/** @param other compared with, on the same inputs. */
export function contract(kind: BackendKind, other: BackendKind): void {
  goldenContract(kind, other);
  smallModelContract(kind);
  seamContract(kind);
  priorContract(kind);
  singleSampleContract(kind);
  shardContract(kind);
  partsContract(kind);
  extremeContract(kind);
  notFiniteContract(kind);
  leakContract(kind);
}

/**
 * Every preset and an uneven model, K = 1 and 3, both KLs, β, wide weights: each tensor of the gradient as a
 * whole.
 */
function goldenContract(kind: BackendKind, other: BackendKind): void {
  for (const golden of quickCases()) {
    test(`${kind.name}: ${goldenName(golden)}`, () => {
      const { model, ...inputs } = goldenInputs(golden);
      const { reference, bound } = expectationOf(golden);
      const actual = runOnce(kind, model, inputs, golden.options);
      const from = (what: string, expected: ElboTerms | Outputs) => {
        for (const term of ['logLikelihood', 'kl'] as const) {
          assertBelow(distance(actual[term], expected[term]), bound[term], `${term} is off ${what}`);
        }
        const distances = tensorDistances(model, actual.gradient, expected.gradient);
        model.parameters.entries.forEach(({ name }, i) => {
          assertBelow(distances[i]!, bound.gradient[i]!, `the gradient of ${name} is off ${what}`);
        });
      };
      from('the float64 reference', reference);
      // The spread of a difference is √2 of one's, and ten are granted.
      from(`the backend ${other.name}`, runOnce(other, model, inputs, golden.options));
    });
  }
}

/**
 * All but some of cvae's, whose bounds in float64 take seconds each: the uneven model's layers are of the
 * same kinds.
 */
function quickCases(): readonly GoldenCase[] {
  return goldenCases().filter(
    ({ model, options, gain }) =>
      model !== 'cvae' || (options.samples === 1 && (options.kl === 'analytic' || gain > 1)),
  );
}

/** Ten times the spread that float32's roundings make in this computation, in any order: derived there. */
interface Expectation {
  readonly reference: ElboTerms;
  readonly bound: NormwiseBound;
}

const expectations = new Map<string, Expectation>();

function expectationOf(golden: GoldenCase): Expectation {
  const name = goldenName(golden);
  let expectation = expectations.get(name);
  if (expectation === undefined) {
    const { model, parameters, x, epsilon } = goldenInputs(golden);
    const reference = referenceElbo(model, parameters, x, epsilon, golden.options);
    const bound = normwiseBound(model, parameters, x, epsilon, golden.options, reference);
    expectation = { reference, bound };
    expectations.set(name, expectation);
  }
  return expectation;
}

/**
 * Every element of small models, within what rounding can do at worst (γ_n Σ|terms|, carried through all
 * layers).
 */
function smallModelContract(kind: BackendKind): void {
  for (const model of smallModels) {
    for (const samples of [1, 3]) {
      for (const kl of ['analytic', 'monteCarlo'] as const) {
        const options = { samples, kl, beta: 0.7 };
        test(`${kind.name}: ${model.name}, K = ${samples}, ${kl} KL: every element within its rounding bound`, () => {
          const inputs = drawInputs(model, 4, samples, 3);
          assertWithin(runOnce(kind, model, inputs, options), boundsOf(model, inputs, options));
        });
      }
    }
  }
}

const GAUSSIAN = { name: 'gaussian', values: { sigma: 0.4 } } as const;

/** Objectives and likelihoods, alone and together; the registries' names, so that none is left out. */
function seamContract(kind: BackendKind): void {
  const likelihoods = [BERNOULLI, GAUSSIAN];
  assert.deepEqual(likelihoods.map(({ name }) => name).sort(), Object.keys(LIKELIHOODS).sort());
  for (const model of smallModels) {
    for (const objective of Object.keys(OBJECTIVES) as ObjectiveName[]) {
      for (const likelihood of likelihoods) {
        for (const samples of [1, 4]) {
          const kl = objectiveOf(objective).klEstimates[0];
          const options = { samples, kl, beta: 0.7, objective, likelihood };
          const title = `${objective}, ${likelihood.name}, K = ${samples}`;
          test(`${kind.name}: ${model.name}, ${title}: every element within its rounding bound`, () => {
            const inputs = drawInputs(model, 4, samples, 3);
            assertWithin(runOnce(kind, model, inputs, options), boundsOf(model, inputs, options));
          });
        }
      }
    }
  }
}

const MIXTURE = { name: 'mixture', values: { priorComponents: 3 } } as const;

/** A mixture of three Gaussians: values and every element of the gradient, the prior's own among them. */
function priorContract(kind: BackendKind): void {
  assert.deepEqual(Object.keys(PRIORS), ['standard-normal', MIXTURE.name]);
  for (const spec of smallSpecs) {
    const model = resolveModel(spec, { prior: MIXTURE });
    for (const objective of Object.keys(OBJECTIVES) as ObjectiveName[]) {
      for (const samples of [1, 4]) {
        const options = { samples, kl: 'monteCarlo', beta: 0.7, objective } as const;
        test(`${kind.name}: ${model.name}, ${objective}, mixture, K = ${samples}: every element within its rounding bound`, () => {
          const inputs = drawInputs(model, 4, samples, 3);
          const actual = runOnce(kind, model, inputs, options);
          assertWithin(actual, boundsOf(model, inputs, options));
          const { offset, size } = model.prior;
          assert.ok(actual.gradient.subarray(offset, offset + size).every((value) => value !== 0));
        });
      }
    }
  }
}

/** L_1 is the ELBO of one draw: the same bits, by other kernels. */
function singleSampleContract(kind: BackendKind): void {
  for (const model of smallModels) {
    test(`${kind.name}: ${model.name}: the importance-weighted bound of one sample has the bits of the ELBO`, () => {
      const inputs = drawInputs(model, 5, 1, 81);
      const options = { samples: 1, kl: 'monteCarlo', beta: 0.7 } as const;
      const elbo = runOnce(kind, model, inputs, options);
      const iwae = runOnce(kind, model, inputs, { ...options, objective: 'iwae' });
      assert.deepEqual(iwae.gradient, elbo.gradient);
      assert.deepEqual(iwae.logLikelihood, elbo.logLikelihood);
      assert.deepEqual(iwae.kl, elbo.kl);
      assert.deepEqual(
        iwae.bound,
        elbo.logLikelihood.map((value, i) => value - elbo.kl[i]!),
      );
    });
  }
}

/** Shards of other sizes in a row, the same shard again, terms without a gradient. */
function shardContract(kind: BackendKind): void {
  for (const model of smallModels) {
    const options = { samples: 2, kl: 'analytic', beta: 1 } as const;
    test(`${kind.name}: ${model.name}: shards of 7, 1, 0, 5 and 7 examples, one after the other`, () => {
      const harness = new BackendHarness(kind, { model, ...options, most: 7, parts: 1 });
      const { parameters } = drawInputs(model, 7, options.samples, 11);
      harness.prepare(parameters);
      const results = [7, 1, 0, 5, 7].map((n) => {
        const { x, epsilon } = drawInputs(model, n, options.samples, 20 + n);
        const actual = harness.gradient({ x, epsilon }, options.beta);
        if (n === 0) assert.ok(actual.gradient.every((value) => value === 0));
        else assertWithin(actual, boundsOf(model, { parameters, x, epsilon }, options));
        const { gradient: _, ...terms } = actual;
        assert.deepEqual(harness.elbo({ x, epsilon }), terms, 'the same terms without a gradient');
        return actual;
      });
      assert.deepEqual(results[4], results[0], 'the same shard has the same bits');
    });

    test(`${kind.name}: ${model.name}: a step with other parameters, and back`, () => {
      const harness = new BackendHarness(kind, { model, ...options, most: 3, parts: 1 });
      const inputs = drawInputs(model, 3, options.samples, 31);
      const { parameters } = drawInputs(model, 3, options.samples, 32);
      const first = harness.run(inputs, options.beta);
      const second = harness.run({ ...inputs, parameters }, options.beta);
      assertWithin(second, boundsOf(model, { ...inputs, parameters }, options));
      assert.deepEqual(harness.run(inputs, options.beta), first);
    });
  }
}

/** Four shards at once, of 3, 0, 8 and 2 examples. */
function partsContract(kind: BackendKind): void {
  const mixtures = smallSpecs.map((spec) => resolveModel(spec, { prior: MIXTURE }));
  for (const objective of Object.keys(OBJECTIVES) as ObjectiveName[]) {
    for (const model of [...smallModels, ...mixtures]) partsCase(kind, model, objective);
  }
}

function partsCase(kind: BackendKind, model: Model, objective: ObjectiveName): void {
  const bounds = [0, 3, 3, 11, 13];
  const prior = model.prior.choice.name;
  const kl = klEstimatesOf(objective, 'reparameterized', prior)[0]!;
  const options = { samples: 3, kl, beta: 0.7, objective } as const;
  const title = `${kind.name}: ${model.name}, ${objective}, ${prior}: four shards at once`;
  if (kind.mostParts(model, options.samples, 4) < 4) {
    test(title, { skip: 'it takes one shard of this model at a time' }, () => {});
    return;
  }
  test(title, () => {
    const { parameters, ...whole } = drawInputs(model, 13, options.samples, 71);
    const harness = new BackendHarness(kind, { model, ...options, most: 16, parts: 4 });
    harness.prepare(parameters);
    const together = harness.gradient(whole, options.beta, bounds);
    assertWithin(together, boundsOf(model, { parameters, ...whole }, options));
    if (!kind.addsByTree) return;
    const single = new BackendHarness(kind, { model, ...options, most: 8, parts: 1 });
    single.prepare(parameters);
    const gradients = bounds.slice(1).map((end, part) => {
      const rows = (values: Float64Array, width: number) => values.slice(bounds[part]! * width, end * width);
      const x = rows(whole.x, model.dimensions);
      const epsilon = rows(whole.epsilon, options.samples * model.latent);
      return single.gradient({ x, epsilon }, options.beta).gradient;
    });
    const [left, right] = [add(gradients[0]!, gradients[1]!), add(gradients[2]!, gradients[3]!)];
    assert.deepEqual(together.gradient, add(left, right));
  });
}

function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]!);
}

const certain: ModelSpec = {
  name: 'certain',
  input: [4, 4, 1],
  latent: 2,
  encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
  decoder: [{ type: 'dense', units: 'pixels' }],
};

/** log(sigmoid(ℓ)) would be −∞ long before float32 ends, and exp(ℓ) +∞. */
function extremeContract(kind: BackendKind): void {
  test(`${kind.name}: logits of ±30, ±90 and ±200 are neither infinite nor rounded away`, () => {
    const model = resolveModel(certain);
    const { parameters, x, epsilon } = drawInputs(model, 3, 1, 41);
    const { offset, size } = model.parameters.entries.at(-1)!;
    const logits = [-200, -90, -30, 30, 90, 200];
    for (let i = 0; i < size; i++) parameters[offset + i] = logits[i % logits.length]!;
    const options = { samples: 1, kl: 'analytic', beta: 1 } as const;
    const inputs = { parameters, x: x.map(Math.round), epsilon };
    assertWithin(runOnce(kind, model, inputs, options), boundsOf(model, inputs, options));
  });
}

/** Ranks refuse a step whose terms are not finite (stepLoop.ts): they must not look finite. */
function notFiniteContract(kind: BackendKind): void {
  for (const model of smallModels) {
    const options = { samples: 1, kl: 'analytic', beta: 1 } as const;
    const place = (values: Float64Array, at: number, value: number) => {
      const changed = values.slice();
      changed[at] = value;
      return changed;
    };
    const refuses = (inputs: Inputs, what: string) => {
      const { logLikelihood, kl } = runOnce(kind, model, inputs, options);
      const sum = [...logLikelihood, ...kl].reduce((total, term) => total + term, 0);
      assert.ok(!Number.isFinite(sum), `with NaN in ${what} the terms sum to ${sum}`);
    };
    test(`${kind.name}: ${model.name}: NaN in the data, the noise or any parameter shows in the terms`, () => {
      const inputs = drawInputs(model, 3, 1, 51);
      refuses({ ...inputs, x: place(inputs.x, 5, Number.NaN) }, 'x');
      refuses({ ...inputs, epsilon: place(inputs.epsilon, 1, Number.NaN) }, 'epsilon');
      for (const { name, offset, size } of model.parameters.entries) {
        const parameters = place(inputs.parameters, offset + size - 1, Number.NaN);
        refuses({ ...inputs, parameters }, name);
      }
    });
  }
}

/**
 * A gradient of 1.7 MB a step: what is not given back shows in 600 of them. By then heaps have long grown to
 * their size, which on Node 24 takes some 80 MB in the first 200 steps of a process, and wobbles by 50 later
 * on.
 */
function leakContract(kind: BackendKind): void {
  const [warmUp, count] = [200, 600];
  test(`${kind.name}: ${count} steps leave no tensor and no memory behind`, () => {
    const spec = presetSpec('iwae', [28, 28, 1]);
    const model = resolveModel(spec, { input: [28, 28, 1] });
    const inputs = drawInputs(model, 1, 1, 61);
    const scaled = { ...inputs, parameters: inputs.parameters.map((value) => value / 16) };
    const harness = new BackendHarness(kind, { model, samples: 1, kl: 'analytic', most: 1, parts: 1 });
    const steps = (count: number) => {
      for (let i = 0; i < count; i++) harness.run(scaled, 1);
      collectGarbage();
      return { tensors: kind.tensors?.(), bytes: process.memoryUsage.rss() };
    };
    // Compilers, heaps and pools grow to their size.
    const before = steps(warmUp);
    const after = steps(count);
    assert.equal(after.tensors, before.tensors);
    // One copy of the gradient a step would be as many of them; a tenth is left for allocators and compilers.
    const gradients = count * model.parameters.size * Float32Array.BYTES_PER_ELEMENT;
    assertBelow(after.bytes - before.bytes, gradients / 10, 'the process has grown');
  });
}

function runOnce(kind: BackendKind, model: Model, inputs: Inputs, options: ElboOptions): Outputs {
  const { samples, kl, beta, objective = 'elbo', likelihood = BERNOULLI } = options;
  const most = inputs.x.length / model.dimensions;
  const harness = new BackendHarness(kind, { model, samples, kl, objective, likelihood, most, parts: 1 });
  try {
    return harness.run(inputs, beta);
  } finally {
    harness.close();
  }
}

function boundsOf(model: Model, inputs: Inputs, options: ElboOptions): BoundedElbo {
  const { parameters, x, epsilon } = inputs as ReturnType<typeof drawInputs>;
  return boundedElbo(model, parameters, x, epsilon, options);
}

function assertWithin(actual: Outputs, { value, bound }: BoundedElbo): void {
  const bounded = value.bound.length > 0 ? (['bound'] as const) : [];
  for (const what of ['logLikelihood', 'kl', 'gradient', ...bounded] as const) {
    assert.equal(actual[what].length, value[what].length, what);
    value[what].forEach((expected, i) => {
      assertBelow(Math.abs(actual[what][i]! - expected), bound[what][i]!, `${what}[${i}] is off`);
    });
  }
}

function assertBelow(value: number, limit: number, what: string): void {
  assert.ok(value <= limit, `${what} by ${value}, bound ${limit}`);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}
