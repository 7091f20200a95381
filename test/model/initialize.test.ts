import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Purpose, type RandomKey, randomKey } from '#src/kernels/stream.js';
import { initializeParameters } from '#src/model/initialize.js';
import type { Model, ParameterEntry } from '#src/model/model.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import { multiplyAdd, ulpError } from '../kernels/float32.js';
import { assertSameBits, KernelHarness } from '../kernels/kernelHarness.js';
import { rowWords } from '../kernels/philoxReference.js';
import { FOUR_SIGMA, kolmogorovCritical, kolmogorovDistance, moments } from '../kernels/statistics.js';

// 5 × 5 pixels: the output bias and everything before it end within a vector.
const spec: ModelSpec = {
  name: 'small',
  input: [5, 5, 1],
  latent: 3,
  encoder: [
    { type: 'conv2d', filters: 7, kernel: 3, activation: 'relu' },
    { type: 'flatten' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 333, activation: 'tanh' },
    { type: 'dense', units: 'pixels' },
  ],
  outputBias: 'dataMean',
};
const model = resolveModel(spec);
const fanInModel = resolveModel({ ...spec, initialization: 'fanInUniform' });
const dataMean = Float64Array.from({ length: 25 }, (_, i) => i / 24);
const harness = new KernelHarness();
const key = randomKey(123n);

/** All parameters; a write outside of them and of the scratch would be noticed. */
function initialize(of: Model, k: RandomKey, mean?: Float64Array): Float32Array {
  harness.reset();
  const parameters = harness.output(of.parameters.size * 4);
  const scratch = harness.output(64);
  const { memory } = harness;
  harness.run((kernels) =>
    initializeParameters({
      kernels,
      memory,
      model: of,
      key: k,
      parameters,
      scratch,
      ...(mean ? { dataMean: mean } : {}),
    }),
  );
  return harness.floats(parameters, of.parameters.size);
}

/** Tensors of one kind of start, with their place in the layout. */
function entriesOf(
  kind: ParameterEntry['initializer']['kind'],
  of = model,
): { entry: ParameterEntry; index: number }[] {
  return of.parameters.entries
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => entry.initializer.kind === kind);
}

/**
 * Inputs and outputs that a weight of each layer connects: 3 × 3 pixels of 1 and 7 channels, then dense
 * layers.
 */
const fans = [
  [9, 63],
  [63, 6],
  [3, 333],
  [333, 25],
] as const;

const uniformStarts = [
  {
    name: 'glorotUniform: weights on ±√(6 / (fanIn + fanOut))',
    model,
    entries: entriesOf('glorotUniform'),
    limits: fans.map(([fanIn, fanOut]) => Math.sqrt(6 / (fanIn + fanOut))),
  },
  {
    name: 'fanInUniform: weights and biases on ±1 / √fanIn',
    model: fanInModel,
    entries: entriesOf('fanInUniform', fanInModel),
    // The last bias starts at the data's mean.
    limits: fans.flatMap(([fanIn]) => [1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)]).slice(0, -1),
  },
];

for (const { name, model: of, entries, limits } of uniformStarts) {
  test(`${name}: limits, moments, distribution`, () => {
    const parameters = initialize(of, key, dataMean);
    assert.equal(entries.length, limits.length);
    entries.forEach(({ entry }, i) => {
      const limit = limits[i]!;
      const values = parameters.slice(entry.offset, entry.offset + entry.size);
      // The limit itself is rounded to float32, and so is each value.
      const inside = values.every((value) => Math.abs(value) <= limit * (1 + 2 ** -23));
      assert.ok(inside, `${entry.name}: beyond ±${limit}`);
      // The standard errors below are those of many values.
      if (entry.size >= 50) assertUniform(values, limit, entry.name);
    });
  });

  test(`${name}: low + 2 limit u, a function of key and tensor`, () => {
    const parameters = initialize(of, key, dataMean);
    entries.forEach(({ entry, index }, i) => {
      const limit = Math.fround(limits[i]!);
      const stream = { position: index, step: 0, purpose: Purpose.initialization };
      const expected = Float32Array.from(rowWords(entry.size, [key.low, key.high], stream), (bits) =>
        multiplyAdd(2 * limit, (bits >>> 8) * 2 ** -24, -limit),
      );
      assertSameBits(parameters.slice(entry.offset, entry.offset + entry.size), expected, entry.name);
    });
  });
}

function assertUniform(values: Float32Array, limit: number, name: string): void {
  const { mean, variance } = moments(values);
  // E x² = L² / 3, and the variance of x² is (1/5 − 1/9) L⁴.
  const meanError = limit / Math.sqrt(3 * values.length);
  const varianceError = limit * limit * Math.sqrt((1 / 5 - 1 / 9) / values.length);
  assert.ok(Math.abs(mean) < FOUR_SIGMA * meanError, `${name}: mean ${mean}`);
  const excess = variance - (limit * limit) / 3;
  assert.ok(Math.abs(excess) < FOUR_SIGMA * varianceError, `${name}: variance ${variance}`);
  const distance = kolmogorovDistance(values, (x) => (x / limit + 1) / 2);
  assert.ok(distance < kolmogorovCritical(values.length, 1e-3), `${name}: distance ${distance}`);
}

test('glorotUniform: biases are zero', () => {
  const parameters = initialize(model, key, dataMean);
  const zeros = entriesOf('zeros');
  assert.equal(zeros.length, 3);
  for (const { entry } of zeros) {
    const values = parameters.slice(entry.offset, entry.offset + entry.size);
    assertSameBits(values, new Float32Array(entry.size), entry.name);
  }
});

test('the output bias is the logit of the mean of the data, kept within [0.001, 0.999]', () => {
  const parameters = initialize(model, key, dataMean);
  const [{ entry } = assert.fail('no output bias')] = entriesOf('dataMeanLogit');
  dataMean.forEach((mean, i) => {
    const p = Math.min(Math.max(mean, 0.001), 0.999);
    const odds = Math.fround(p / (1 - p));
    const actual = parameters[entry.offset + i]!;
    assert.ok(ulpError(actual, Math.log(odds)) <= 4, `pixel ${i}: ${actual}, expected ${Math.log(odds)}`);
  });
});

test('the tensor behind an output bias is not touched', () => {
  // The output bias in front: what stands behind it is written before, and must stay.
  const entries = [...model.parameters.entries];
  const bias = entries.pop()!;
  let offset = bias.size;
  const placed = entries.map((entry) => {
    const moved = { ...entry, offset };
    offset += entry.size;
    return moved;
  });
  const reordered: Model = {
    ...model,
    parameters: { entries: [...placed, { ...bias, offset: 0 }], size: offset },
  };
  const first = initialize(model, key, dataMean);
  const second = initialize(reordered, key, dataMean);
  assertSameBits(second.slice(bias.size), first.slice(0, bias.offset), 'the other tensors');
  assertSameBits(second.slice(0, bias.size), first.slice(bias.offset), 'the output bias');
});

test('a wrong number of means is refused', () => {
  const [{ entry } = assert.fail('no output bias')] = entriesOf('dataMeanLogit');
  const begin = `The parameter ${entry.name} starts at the data's mean, but `;
  assert.throws(() => initialize(model, key), {
    message: `${begin}no means were given for its 25 values.`,
  });
  assert.throws(() => initialize(model, key, new Float64Array(24)), {
    message: `${begin}24 means were given for its 25 values.`,
  });
});

test('a mixture starts with means drawn from N(0, I), unit variances and equal weights; layers start as without it', () => {
  const priorComponents = 700;
  const mixture = resolveModel(spec, { prior: { name: 'mixture', values: { priorComponents } } });
  const [plain, parameters] = [initialize(model, key, dataMean), initialize(mixture, key, dataMean)];
  assertSameBits(parameters.subarray(0, plain.length), plain, 'layers');
  const entries = mixture.parameters.entries.slice(model.parameters.entries.length);
  assert.deepEqual(
    entries.map(({ name, shape }) => [name, shape]),
    [
      ['prior/means', [priorComponents, 3]],
      ['prior/logvars', [priorComponents, 3]],
      ['prior/logits', [priorComponents]],
    ],
  );
  const [means, ...rest] = entries.map(({ offset, size }) => parameters.subarray(offset, offset + size));
  for (const values of rest) assert.ok(values.every((value) => value === 0));
  const { mean, variance } = moments(means!);
  // The mean of n standard normal numbers has a variance of 1 / n, their variance one of 2 / n.
  assert.ok(Math.abs(mean) < FOUR_SIGMA * Math.sqrt(1 / means!.length), `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < FOUR_SIGMA * Math.sqrt(2 / means!.length), `variance ${variance}`);
});
