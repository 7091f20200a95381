import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import {
  assertOwnCheckpoint,
  assertSameRun,
  parseRunConfig,
  parseRunConfigText,
  type RunConfig,
} from '#src/runs/runConfig.js';
import { tinyConfig, tinyModel } from './exampleRun.js';

test('a config with a key twice is refused', () => {
  const text = JSON.stringify(tinyConfig).replace('"shards":', '"epochs":1,"shards":');
  assert.throws(
    () => parseRunConfigText(text, 'config.json'),
    /^UsageError: config\.json: the key "epochs" stands twice in one object, at line 1, column \d+ and at line 1, column \d+,/,
  );
});

test('a config survives JSON', () => {
  assert.deepEqual(parseRunConfigText(JSON.stringify(tinyConfig), 'config.json'), tinyConfig);
});

const refused: readonly [change: object, message: string][] = [
  [{ formatVersion: undefined }, 'formatVersion is missing'],
  [{ formatVersion: '1' }, 'formatVersion is "1", expected 1'],
  [
    { formatVersion: 2, novelty: true },
    'formatVersion is 2, written by a newer lowerbound; this one reads 1. Update lowerbound',
  ],
  [{ learningrate: 1 }, 'the document has an unknown key "learningrate" (did you mean "learningRate"?)'],
  [{ model: { ...tinyModel, latent: -2 } }, 'model: latent is -2, expected a positive integer'],
  [{ model: { ...tinyModel, input: undefined } }, 'model.input is missing'],
  [{ latent: 0 }, 'latent is 0, expected a positive integer'],
  [{ data: { source: 'mnist' } }, 'data.fingerprint is missing'],
  [{ data: { source: '', fingerprint: 'x' } }, 'data.source is "", expected a text that is not empty'],
  [{ binarize: 'maybe' }, 'binarize is "maybe", expected "threshold", "dynamic", "static" or "none"'],
  [{ batchSize: 1.5 }, 'batchSize is 1.5, expected a positive integer'],
  [{ shards: '8' }, 'shards is "8", expected a positive integer'],
  [{ samples: 0 }, 'samples is 0, expected a positive integer'],
  [{ kl: 'exact' }, 'kl is "exact", expected "analytic" or "monteCarlo"'],
  [{ beta: -1 }, 'beta is -1, expected a number from 0 up'],
  [{ klWarmupEpochs: null }, 'klWarmupEpochs is null, expected a number from 0 up'],
  [{ learningRate: 0 }, 'learningRate is 0, expected a positive number'],
  [
    { adam: { beta1: 1, beta2: 0.9, epsilon: 1 } },
    'adam.beta1 is 1, expected a number from 0 up to, but not, 1',
  ],
  [{ adam: { beta1: 0.9, beta2: 0.9, epsilon: 0 } }, 'adam.epsilon is 0, expected a positive number'],
  [{ epochs: 0 }, 'epochs is 0, expected a positive integer'],
  [{ arithmetic: 'exact' }, 'arithmetic is "exact", expected "portable" or "fused"'],
  [{ backend: 'gpu' }, 'backend is "gpu", expected "simd", "wasm", "native" or "cpu"'],
  [{ earlierBackends: [] }, 'earlierBackends is an empty list, expected a list of one or more backends'],
  [
    { earlierBackends: [{ backend: 'wasm', untilStep: 0 }] },
    'earlierBackends[0].untilStep is 0, expected a positive integer',
  ],
  ...[7, '', '-1', '1.0', '007', '0x10', '1e3', ' 1', '18446744073709551616', '99999999999999999999'].map(
    (seed): [object, string] => [
      { seed },
      `seed is ${JSON.stringify(seed)}, expected a string of decimal digits, from "0" to "18446744073709551615"`,
    ],
  ),
];

for (const [change, message] of refused) {
  test(`refused: ${message}`, () => {
    assert.throws(
      () => parseRunConfig({ ...tinyConfig, ...change }, 'runs/x/config.json'),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.ok(error.message.startsWith(`runs/x/config.json: ${message}`), error.message);
        return true;
      },
    );
  });
}

test('refused: what is no object, or no JSON', () => {
  for (const json of [null, [], 'text', 3]) {
    assert.throws(
      () => parseRunConfig(json, 'c'),
      /^UsageError: c: the document is .*, expected the config of a run/,
    );
  }
  assert.throws(() => parseRunConfigText('{', 'c'), /^UsageError: c is not JSON: .+\.$/);
});

test('the same run: what decides no bit may differ', () => {
  const saved = { ...tinyConfig, model: { ...tinyModel, training: { epochs: 3 } } };
  assertSameRun(saved, tinyConfig, 'runs/x');
  assertSameRun(tinyConfig, { ...tinyConfig, epochs: 11 }, 'runs/x');
  assertSameRun(tinyConfig, { ...tinyConfig, data: { source: '/elsewhere', fingerprint: 'ab12' } }, 'runs/x');
  assertSameRun(tinyConfig, { ...tinyConfig, model: { ...tinyModel, latent: 7 } }, 'runs/x');
  assertSameRun(tinyConfig, { ...tinyConfig, backend: 'wasm' }, 'runs/x');
  const reversed = Object.fromEntries(Object.entries(tinyConfig).reverse());
  assertSameRun(tinyConfig, reversed as unknown as RunConfig, 'runs/x');
});

const otherLayer = { ...tinyModel, encoder: tinyModel.encoder.with(1, { type: 'relu' }) };
const strides = { ...tinyModel, decoder: tinyModel.decoder.with(0, { type: 'dense', units: 8 }) };
const different: readonly [change: Partial<RunConfig>, path: string, saved: string, asked: string][] = [
  [{ latent: 3 }, 'latent', '2', '3'],
  [{ seed: '1' }, 'seed', '"18446744073709551615"', '"1"'],
  [{ data: { source: 'mnist', fingerprint: 'cd' } }, 'data.fingerprint', '"ab12"', '"cd"'],
  [{ binarize: 'none' }, 'binarize', '"threshold"', '"none"'],
  [{ batchSize: 64 }, 'batchSize', '32', '64'],
  [{ shards: 4 }, 'shards', '8', '4'],
  [{ samples: 2 }, 'samples', '1', '2'],
  [{ kl: 'monteCarlo' }, 'kl', '"analytic"', '"monteCarlo"'],
  [{ beta: 0.5 }, 'beta', '1', '0.5'],
  [{ klWarmupEpochs: 1 }, 'klWarmupEpochs', '0', '1'],
  [{ learningRate: 1e-3 }, 'learningRate', '0.0001', '0.001'],
  [{ adam: { ...tinyConfig.adam!, beta2: 0.99 } }, 'adam.beta2', '0.999', '0.99'],
  [{ model: otherLayer }, 'model.encoder[1].type', '"flatten"', '"relu"'],
  [{ model: strides }, 'model.decoder[0].activation', '"tanh"', '(none)'],
];

for (const [change, path, saved, asked] of different) {
  test(`not the same run: ${path}`, () => {
    const message =
      `runs/x was started with ${path} ${saved}, but ${asked} is asked for now. A run that is resumed keeps every ` +
      'setting that decides its bits: leave this one out, or start a new run.';
    const requested = { ...tinyConfig, ...change };
    assert.throws(() => assertSameRun(tinyConfig, requested, 'runs/x'), new UsageError(message));
  });
}

for (const [change, path, saved, asked] of different) {
  test(`not a checkpoint of the run: ${path}`, () => {
    const message =
      `k.safetensors was made with ${path} ${saved}, but runs/x/config.json has ${asked}. A run goes on from its own ` +
      'checkpoints, with the config that they were made with: put the one or the other back, or start a new run.';
    const ofRun = { ...tinyConfig, ...change };
    assert.throws(
      () => assertOwnCheckpoint(ofRun, 'runs/x/config.json', tinyConfig, 'k.safetensors'),
      new UsageError(message),
    );
  });
}

test('a checkpoint of the run: config.json may have more epochs and another backend, and not fewer epochs', () => {
  const check = (change: Partial<RunConfig>) =>
    assertOwnCheckpoint({ ...tinyConfig, ...change }, 'runs/x/config.json', tinyConfig, 'k.safetensors');
  check({ epochs: 11 });
  check({ backend: 'wasm', earlierBackends: [{ backend: 'simd', untilStep: 1 }] });
  check({ data: { source: '/elsewhere', fingerprint: 'ab12' } });
  assert.throws(
    () => check({ epochs: 9 }),
    /^UsageError: k\.safetensors was made with epochs 10, but runs\/x\/config\.json has 9\./,
  );
});

test('every field of the config is either compared or known to decide no bit', () => {
  const compared = new Set(different.map(([, path]) => path.split(/[.[]/)[0]));
  // Epochs may grow, the backend may change.
  const others = new Set(['formatVersion', 'epochs', 'arithmetic', 'backend']);
  assert.deepEqual(new Set([...compared, ...others]), new Set(Object.keys(tinyConfig)));
});

test('not the same run: fewer epochs', () => {
  const message =
    'runs/x was started with epochs 10, but 9 is asked for now. A run that is resumed can only grow: ask for as ' +
    'many epochs or more, or start a new run.';
  const requested = { ...tinyConfig, epochs: 9 };
  assert.throws(() => assertSameRun(tinyConfig, requested, 'runs/x'), new UsageError(message));
});
