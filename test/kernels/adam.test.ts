import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { power } from '#src/arithmetic/power.js';
import { type AdamFactors, adamFactors } from '#src/optimizer/adam.js';
import { roundoff, sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import {
  ADAM_DEFAULTS,
  type AdamOptions,
  type AdamState,
  type AdamUpdate,
  adamNumbers,
  adamUpdate,
  scalarAdam,
} from './scalarAdam.js';
import { placeSlots, sampleSlots, sumSlots } from './shardSlots.js';

const harness = new KernelHarness();

/** Update t with the mean of a batch's gradient, the sum of the shards' slots, as the step loop makes it. */
function adam(
  state: AdamState,
  shards: readonly Float32Array[],
  batch: number,
  t: number,
  options: AdamOptions,
): AdamState {
  harness.reset();
  const count = state.parameters.length;
  // Written in pairs of vectors.
  const place = (values: Float32Array) => harness.inPlace(values, Math.ceil(count / 8) * 32);
  const [parameters, m, v] = [place(state.parameters), place(state.m), place(state.v)];
  const { address, pitch } = placeSlots(harness, shards);
  const numbers = adamNumbers(updateOf(batch, t, options));
  harness.run((kernels) =>
    kernels.reduceAdam({
      parameters,
      m,
      v,
      slots: address,
      pitch,
      shards: shards.length,
      count,
      ...numbers,
    }),
  );
  const read = (address: number) => harness.floats(address, count);
  return { parameters: read(parameters), m: read(m), v: read(v) };
}

/** The same update by the kernel that takes one gradient and writes no more than `count` floats. */
function exactCount(
  state: AdamState,
  gradient: Float32Array,
  batch: number,
  t: number,
  options: AdamOptions,
): AdamState {
  harness.reset();
  const count = state.parameters.length;
  const place = (values: Float32Array) => harness.inPlace(values);
  const [parameters, m, v] = [place(state.parameters), place(state.m), place(state.v)];
  const source = harness.input(gradient);
  const rates = adamNumbers(updateOf(batch, t, options));
  harness.run((kernels) => kernels.adam({ parameters, m, v, gradient: source, count, ...rates }));
  const read = (address: number) => harness.floats(address, count);
  return { parameters: read(parameters), m: read(m), v: read(v) };
}

function factors(options: AdamOptions, t: number): AdamFactors {
  return adamFactors(options, options.learningRate, t);
}

/** Update t with the mean of a batch's gradient. */
function updateOf(batch: number, t: number, options: AdamOptions): AdamUpdate {
  return adamUpdate(options, t, 1 / batch);
}

// Two, four and eight slots are summed in registers, others by treeReduce.
for (const shards of [1, 2, 3, 4, 5, 6, 7, 8, 9, 16]) {
  test(`${shards} shards: the bits of Adam on the tree sum, rounded step by step, at any count`, () => {
    const beta = fc.double({ min: 0, max: 0.9999, noNaN: true });
    const options = fc.record({
      learningRate: fc.double({ min: 1e-5, max: 0.1, noNaN: true }),
      beta1: beta,
      beta2: beta,
      epsilon: fc.constantFrom(1e-8, 1e-7, 1e-4),
    });
    const count = fc.integer({ min: 1, max: 70 });
    const updates = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(options, count, updates, fc.nat(), (o, n, t, seed) => {
        const state: AdamState = {
          parameters: sampleFloats(seed, n),
          m: sampleFloats(seed + 1, n),
          v: sampleFloats(seed + 2, n).map(Math.abs),
        };
        const slots = sampleSlots(shards, n, seed + 3);
        const actual = adam(state, slots, 100, t, o);
        const expected = scalarAdam(state, sumSlots(slots), updateOf(100, t, o));
        for (const name of ['m', 'v', 'parameters'] as const)
          assertSameBits(actual[name], expected[name], name);
      }),
    );
  });
}

test('adam: the bits of reduceAdam on one slot, and not a byte more, at every count to 33', () => {
  const options: AdamOptions = { ...ADAM_DEFAULTS, learningRate: 1e-3 };
  for (let count = 1; count <= 33; count++) {
    const state: AdamState = {
      parameters: sampleFloats(count, count),
      m: sampleFloats(count + 100, count),
      v: sampleFloats(count + 200, count).map(Math.abs),
    };
    const gradient = sampleFloats(count + 300, count);
    const expected = adam(state, [gradient], 100, 3, options);
    const actual = exactCount(state, gradient, 100, 3, options);
    for (const name of ['m', 'v', 'parameters'] as const) {
      assertSameBits(actual[name], expected[name], `${name} of ${count}`);
    }
  }
});

test('the moments of a weight whose gradient stays 0 end in 0, not in subnormal numbers, and a NaN stays', () => {
  const options: AdamOptions = { ...ADAM_DEFAULTS, learningRate: 1e-3 };
  let state: AdamState = {
    parameters: Float32Array.of(0.5, 0.5, 0.5),
    m: Float32Array.of(1e-3, -1e-36, Number.NaN),
    v: Float32Array.of(1e-6, 1e-36, 1),
  };
  for (let t = 1; t <= 1000; t++) state = adam(state, [new Float32Array(3)], 1, t, options);
  assert.deepEqual([...state.m], [0, 0, Number.NaN]);
  assert.equal(state.v[1], 0);
  assert.ok(state.v[0]! > 1e-7, 'the second moment decays slowly');
});

test('no product of an update is subnormal while moments decay, from the default learning rate down to 1e-6', () => {
  const smallest = 2 ** -126;
  for (const learningRate of [1e-3, 1e-6]) {
    const options: AdamOptions = { ...ADAM_DEFAULTS, learningRate };
    let state: AdamState = {
      parameters: Float32Array.of(0.5),
      m: Float32Array.of(1e-3),
      v: Float32Array.of(1e-6),
    };
    for (let t = 1000; state.m[0] !== 0; t++) {
      state = adam(state, [new Float32Array(1)], 1, t, options);
      const product = Math.abs(Math.fround(Math.fround(factors(options, t).stepSize) * state.m[0]!));
      assert.ok(product === 0 || product >= smallest, `step size · m is ${product}, m ${state.m[0]}`);
    }
  }
});

/**
 * Kingma and Ba (2015), algorithm 1, in float64, with a bound of what float32 adds, in units of roundoff. m:
 * each step three on the old part (coefficient, product, sum) and four on the new (coefficient, g, product,
 * sum; a batch of 32 scales exactly), relative to the mean M of |g|: 3 t + 1 in all. v: three on the old part
 * and six on the new (g twice, its square): 3 t + 3. The root halves those and adds one; then the correction
 * (its own rounding and a product's) two, ε two, α two, the quotient one. With m's that makes 4.5 t + 10.5
 * units of α M̂ / (√v̂ + ε), and one of p.
 */
function exactAdam(
  start: Float32Array,
  gradients: readonly Float32Array[],
  batch: number,
  options: AdamOptions,
) {
  const { learningRate, beta1, beta2, epsilon } = options;
  return Array.from(start, (initial, i) => {
    let [p, m, v, magnitude, bound] = [initial, 0, 0, 0, 0];
    gradients.forEach((gradient, step) => {
      const t = step + 1;
      const g = gradient[i]! / batch;
      m = beta1 * m + (1 - beta1) * g;
      magnitude = beta1 * magnitude + (1 - beta1) * Math.abs(g);
      v = beta2 * v + (1 - beta2) * g * g;
      const rate = learningRate / (1 - beta1 ** t) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
      p -= rate * m;
      bound += (rate * magnitude * (4.5 * t + 10.5) + Math.abs(p)) * roundoff;
    });
    // What the bound leaves out are products of roundings: the largest factor is (4.5 · 50 + 10.5) 2⁻²⁴ <
    // 1e-4.
    return { value: p, bound: bound * 1.001 };
  });
}

test('fifty steps follow Adam in float64 within the bound of their roundings', () => {
  const count = 64;
  const options = { ...ADAM_DEFAULTS, learningRate: 1e-3 };
  const start = sampleFloats(1, count);
  const gradients = Array.from({ length: 50 }, (_, step) => sampleFloats(step + 2, count));
  let state: AdamState = { parameters: start, m: new Float32Array(count), v: new Float32Array(count) };
  gradients.forEach((gradient, step) => {
    state = adam(state, [gradient], 32, step + 1, options);
  });
  exactAdam(start, gradients, 32, options).forEach(({ value, bound }, i) => {
    const error = Math.abs(state.parameters[i]! - value);
    assert.ok(error <= bound, `parameter ${i} is off by ${error}, bound ${bound}`);
    assert.ok(bound < options.learningRate, 'the bound must be far below fifty updates');
  });
});

test('the first update is the learning rate, against the sign of the gradient', () => {
  const gradient = Float32Array.of(3, -0.5, 0);
  const zeros = new Float32Array(3);
  const { parameters } = adam({ parameters: zeros, m: zeros, v: zeros }, [gradient], 1, 1, {
    ...ADAM_DEFAULTS,
    learningRate: 0.25,
  });
  // m̂ / √v̂ = g / |g|, and ε is below a millionth of it; eleven roundings (see above).
  const near = (actual: number, expected: number) =>
    Math.abs(actual - expected) < 0.25 * (16 * roundoff + 1e-7);
  assert.ok(near(parameters[0]!, -0.25) && near(parameters[1]!, 0.25), parameters.join());
  assert.equal(parameters[2], 0);
});

test('power: base^t, and exactly where that is a float64', () => {
  for (let t = 0; t <= 1000; t++) assert.equal(power(0.5, t), 2 ** -t);
  for (let t = 0; t <= 33; t++) assert.equal(power(3, t), 3 ** t);
  // Squaring doubles a relative error: t − 1 roundings of 2⁻⁵³ at most, and as much again for the one
  // compared with.
  for (const base of [0.9, 0.99, 0.999, 0.9999]) {
    for (const t of [1, 2, 3, 7, 10, 64, 100, 999, 1000, 18750, 65535, 65536]) {
      const expected = base ** t;
      const error = Math.abs(power(base, t) - expected);
      assert.ok(error <= expected * t * 2 ** -52 + Number.MIN_VALUE, `${base}^${t} is off by ${error}`);
    }
  }
});

test('adamFactors: the bias corrections of every update', () => {
  const options: AdamOptions = { ...ADAM_DEFAULTS, learningRate: 1e-3 };
  for (let t = 1; t <= 20_000; t++) {
    const { stepSize, rootCorrection } = factors(options, t);
    const expected = [1e-3 / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.999 ** t)] as const;
    // βᵗ within t βᵗ 2⁻⁵² (above) moves 1 − βᵗ relatively by at most 1 / ln(1 / β) ≤ 1000 of 2⁻⁵²; a few more
    // for the rest.
    const bound = 1004 * 2 ** -52;
    assert.ok(Math.abs(stepSize / expected[0] - 1) <= bound, `stepSize of update ${t} is ${stepSize}`);
    assert.ok(
      Math.abs(rootCorrection / expected[1] - 1) <= bound,
      `rootCorrection of ${t} is ${rootCorrection}`,
    );
  }
});
