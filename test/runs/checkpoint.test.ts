import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { NotFiniteError, UsageError } from '#src/errors.js';
import { resolveModel } from '#src/model/resolve.js';
import {
  type Checkpoint,
  encodeCheckpoint,
  loadCheckpoint,
  parameterHash,
  saveCheckpoint,
} from '#src/runs/checkpoint.js';
import { encodeSafetensors, readSafetensors, type Tensor } from '#src/runs/safetensors.js';
import { buffersOf, requireFit } from '#src/runs/trainingState.js';
import { tinyCheckpoint, tinyConfig, tinyModel, tinySize } from './exampleRun.js';
import { forgeElement } from './forgedCheckpoint.js';
import { temporaryDirectory } from './temporaryDirectory.js';

const file = join(temporaryDirectory(), 'c.safetensors');
const advice = 'The file is damaged or was changed; use another checkpoint.';

const bitsOf = (floats: Float32Array) => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);

function assertSameCheckpoint(found: Checkpoint, expected: Checkpoint): void {
  assert.deepEqual(bitsOf(found.parameters), bitsOf(expected.parameters), 'parameters');
  assert.deepEqual([...found.optimizerState.keys()], [...expected.optimizerState.keys()]);
  for (const [name, tensor] of expected.optimizerState) {
    assert.deepEqual(bitsOf(found.optimizerState.get(name)!), bitsOf(tensor), name);
  }
  const { config, step, epochSums } = found;
  // deepEqual is strict here: it tells 0 from -0, and takes NaN for NaN.
  const { config: c, step: s, epochSums: e } = expected;
  assert.deepEqual({ config, step, epochSums }, { config: c, step: s, epochSums: e });
}

test('parameterHash is SHA-256 over little-endian float32', () => {
  // printf '\0\0\x80\x3f\0\0\0\xc0' | sha256sum
  const known = 'ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b';
  assert.equal(parameterHash(Float32Array.of(1, -2)), known);
  const shared = new Float32Array(new SharedArrayBuffer(16));
  shared.set([7, 1, -2, 7]);
  assert.equal(parameterHash(shared.subarray(1, 3)), known);
});

test('what is saved is loaded, to the bit: subnormal numbers and signed zeros too', async () => {
  const word = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0x7f7fffff, 0x80000000, 0x007fffff, 1));
  const words = fc.uint32Array({ minLength: tinySize, maxLength: tinySize });
  const floats = fc.tuple(words, fc.array(fc.tuple(fc.nat(tinySize - 1), word))).map(([base, changes]) => {
    for (const [at, value] of changes) base[at] = value;
    // An exponent of ones alone is that of NaN and of the infinities.
    for (let i = 0; i < base.length; i++) if ((base[i]! & 0x7f800000) === 0x7f800000) base[i]! &= ~0x00800000;
    return new Float32Array(base.buffer);
  });
  const name = fc.string().filter((text) => text !== '__proto__');
  const checkpoints = fc.record({
    config: fc.constant(tinyConfig),
    step: fc.maxSafeNat(),
    epochSums: fc.dictionary(name, fc.double(), { noNullPrototype: true }),
    parameters: floats,
    optimizerState: fc.tuple(floats, floats).map(
      ([m, v]) =>
        new Map([
          ['adam/m', m],
          ['adam/v', v],
        ]),
    ),
  });
  await fc.assert(
    fc.asyncProperty(checkpoints, async (checkpoint) => {
      const hash = await saveCheckpoint(file, checkpoint);
      assert.equal(hash, parameterHash(checkpoint.parameters));
      assertSameCheckpoint(loadCheckpoint(file), checkpoint);
    }),
    { numRuns: 30 },
  );
});

test('the tensors and the metadata of the file', async () => {
  const checkpoint = tinyCheckpoint(7);
  const hash = await saveCheckpoint(file, checkpoint);
  const { tensors, metadata } = readSafetensors(file);
  const { entries } = resolveModel(tinyModel).parameters;
  const named = (group: string) => entries.map(({ name, shape }) => [`${group}/${name}`, 'F32', shape]);
  assert.deepEqual(
    [...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]),
    [...named('parameters'), ...named('adam/m'), ...named('adam/v')],
  );
  assert.deepEqual(tensors.get('adam/v/encoder/conv2d/weights')?.shape, [3, 3, 1, 3]);
  const { stateSha256, config, ...rest } = Object.fromEntries(metadata);
  assert.deepEqual(JSON.parse(config!), tinyConfig);
  assert.match(stateSha256!, /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    formatVersion: '1',
    step: '7',
    epochSums: '{"examples":224,"loss":2.4333333333333336}',
    seed: '18446744073709551615',
    arithmetic: 'portable',
    parametersSha256: hash,
  });
});

test('the buffers may change as soon as the call has returned its promise', async () => {
  const checkpoint = tinyCheckpoint(1);
  const shared = new Float32Array(new SharedArrayBuffer(4 * tinySize));
  shared.set(checkpoint.parameters);
  const saved = saveCheckpoint(file, { ...checkpoint, parameters: shared });
  shared.fill(0);
  await saved;
  assertSameCheckpoint(loadCheckpoint(file), checkpoint);
});

test('one bit changed anywhere in the file: refused in a sentence', () => {
  const bytes = encodeCheckpoint(tinyCheckpoint(7)).bytes;
  const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  let bit = 0;
  // Every byte up to the first tensor, where a bit has a meaning of its own, and one in 16 of the rest.
  for (let i = 0; i < bytes.length; i += i < header ? 1 : 16) {
    bit = (bit + 5) % 8;
    bytes[i]! ^= 1 << bit;
    writeFileSync(file, bytes);
    assert.throws(() => loadCheckpoint(file), UsageError, `bit ${bit} of byte ${i}`);
    bytes[i]! ^= 1 << bit;
  }
  writeFileSync(file, bytes);
  assertSameCheckpoint(loadCheckpoint(file), tinyCheckpoint(7));
});

/** Changes the last byte of a tensor in the file. */
function flip(tensor: string): void {
  const bytes = encodeCheckpoint(tinyCheckpoint(7)).bytes;
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(bytes.subarray(8, start)).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  bytes[start + header[tensor]!.data_offsets[1] - 1]! ^= 1;
  writeFileSync(file, bytes);
}

test('refused: a changed parameter', () => {
  flip('parameters/decoder/dense/bias');
  const stored = parameterHash(tinyCheckpoint(7).parameters);
  const { tensors } = readSafetensors(file);
  const hash = createHash('sha256');
  for (const [name, { data }] of tensors) if (name.startsWith('parameters/')) hash.update(data);
  const message = `${file}: the SHA-256 of the parameters is ${hash.digest('hex')}, but "${stored}" was stored with it. ${advice}`;
  assert.throws(() => loadCheckpoint(file), new UsageError(message));
});

test('refused: a changed moment', () => {
  flip('adam/v/encoder/conv2d/weights');
  assert.throws(() => loadCheckpoint(file), {
    name: 'UsageError',
    message:
      /: the SHA-256 of the file as a whole is \w{64}, but "\w{64}" was stored with it\. The file is damaged/,
  });
});

const buffers = [
  ['parameters', 'parameters/decoder/dense/bias'],
  ['adam/m', 'adam/m/decoder/dense/bias'],
  ['adam/v', 'adam/v/decoder/dense/bias'],
] as const;

for (const [buffer, tensor] of buffers) {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const bad = `the tensor "${tensor}" holds ${value} (element 1 of 8).`;

    test(`not saved: ${bad}`, async () => {
      writeFileSync(file, 'what was there');
      const checkpoint = tinyCheckpoint(7);
      const { offset } = resolveModel(tinyModel).parameters.entries.find(({ name }) =>
        tensor.endsWith(name),
      )!;
      new Map(buffersOf(checkpoint)).get(buffer)![offset + 1] = value;
      await assert.rejects(saveCheckpoint(file, checkpoint), new NotFiniteError(`After step 7 ${bad}`));
      assert.equal(readFileSync(file, 'utf8'), 'what was there');
    });

    test(`not loaded, from an earlier version: ${bad}`, () => {
      writeFileSync(file, encodeCheckpoint(tinyCheckpoint(7)).bytes);
      forgeElement(file, tensor, 0.5);
      assert.equal(readSafetensors(file).tensors.get(tensor)!.data[1], 0.5);
      loadCheckpoint(file);
      forgeElement(file, tensor, value);
      const message =
        `${file}: ${bad} Training had diverged when it was saved: use an earlier checkpoint, or train anew with a ` +
        'smaller learning rate.';
      assert.throws(() => loadCheckpoint(file), new UsageError(message));
    });
  }
}

test('a state that does not fit its model is refused, whichever buffer it is', () => {
  const layout = resolveModel(tinyModel).parameters;
  requireFit(tinyCheckpoint(1), layout);
  for (const [group] of buffers) {
    for (const size of [tinySize - 1, tinySize + 1]) {
      const message =
        `The state that is to be loaded has ${size} floats in ${group}, but the model has ${tinySize}: ` +
        'it is the state of another model.';
      const { parameters, optimizerState } = tinyCheckpoint(1);
      const wrong = new Float32Array(size);
      const state =
        group === 'parameters'
          ? { parameters: wrong, optimizerState }
          : { parameters, optimizerState: new Map(optimizerState).set(group, wrong) };
      assert.throws(() => requireFit(state, layout), new UsageError(message));
    }
  }
});

/** A checkpoint with other tensors or metadata; undefined removes. */
function rewrite(
  tensors: Record<string, Tensor | undefined>,
  metadata: Record<string, string | undefined>,
): void {
  writeFileSync(file, encodeCheckpoint(tinyCheckpoint(7)).bytes);
  const content = readSafetensors(file);
  const merge = <T>(map: ReadonlyMap<string, T>, changes: Record<string, T | undefined>) => {
    const entries = Object.entries({ ...Object.fromEntries(map), ...changes });
    return new Map(entries.filter((entry): entry is [string, T] => entry[1] !== undefined));
  };
  const changed = { tensors: merge(content.tensors, tensors), metadata: merge(content.metadata, metadata) };
  writeFileSync(file, encodeSafetensors(changed));
}

const bias = (shape: number[], dtype: 'F32' | 'I32' = 'F32'): Tensor => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return dtype === 'F32'
    ? { dtype, shape, data: new Float32Array(size) }
    : { dtype, shape, data: new Int32Array(size) };
};

const changed: readonly [Parameters<typeof rewrite>, message: string][] = [
  [
    [{ 'adam/m/encoder/dense/bias': undefined }, {}],
    `: the tensor "adam/m/encoder/dense/bias" is missing; the model "tiny" has it as F32 of shape [4]. ${advice}`,
  ],
  [
    [{ 'parameters/encoder/dense/bias': bias([2, 2]) }, {}],
    ': the tensor "parameters/encoder/dense/bias" is F32 of shape [2, 2], ' +
      `but the model "tiny" has it as F32 of shape [4]. ${advice}`,
  ],
  [
    [{ 'parameters/encoder/dense/bias': bias([4], 'I32') }, {}],
    ': the tensor "parameters/encoder/dense/bias" is I32 of shape [4], ' +
      `but the model "tiny" has it as F32 of shape [4]. ${advice}`,
  ],
  [
    [{ 'parameters/extra': bias([2, 3]) }, {}],
    `: the tensor "parameters/extra" of shape [2, 3] is not one of the model "tiny". ${advice}`,
  ],
  [
    [{}, { formatVersion: undefined }],
    ' is a safetensors file, but not a checkpoint of lowerbound: its metadata has no formatVersion.',
  ],
  [
    [{}, { formatVersion: '2' }],
    ' is a checkpoint of formatVersion "2", but this lowerbound reads "1". Use the version of lowerbound that wrote it.',
  ],
  [[{}, { config: undefined }], `: the metadata "config" is missing. ${advice}`],
  [[{}, { stateSha256: undefined }], `: the metadata "stateSha256" is missing. ${advice}`],
  [
    [{}, { config: JSON.stringify({ ...tinyConfig, seed: 'x' }) }],
    ': the metadata "config": seed is "x", expected a string of decimal digits, from "0" to "18446744073709551615".',
  ],
];

for (const [content, message] of changed) {
  test(`refused${message}`, () => {
    rewrite(...content);
    assert.throws(() => loadCheckpoint(file), new UsageError(`${file}${message}`));
  });
}

test('a config that asks for more than the file holds is refused before memory is taken', () => {
  const model = { ...tinyModel, decoder: tinyModel.decoder.with(0, { type: 'dense', units: 2 ** 23 }) };
  const wide = { ...model, decoder: [model.decoder[0]!, { type: 'dense', units: 'pixels' } as const] };
  rewrite({}, { config: JSON.stringify({ ...tinyConfig, model: wide }) });
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(
    () => loadCheckpoint(file),
    /the tensor "parameters\/decoder\/dense\/weights" is F32 of shape \[2, 8\], but/,
  );
  // 2^23 units of 2 + 1 + 16 parameters are 608 MiB in each buffer.
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
});

test('buffers of the wrong length are not saved', async () => {
  const { optimizerState } = tinyCheckpoint(1);
  const state = new Map(optimizerState).set('adam/m', new Float32Array(3));
  const checkpoint = { ...tinyCheckpoint(1), optimizerState: state };
  const message = `The buffer adam/m has 3 floats, but the model has ${tinySize}.`;
  await assert.rejects(saveCheckpoint(file, checkpoint), new Error(message));
});

test('a latent dimension that overrides the model is that of the tensors', async () => {
  const config = { ...tinyConfig, latent: 3 };
  const { size } = resolveModel(tinyModel, { latent: 3 }).parameters;
  const zeros = () => new Float32Array(size);
  const optimizerState = new Map([
    ['adam/m', zeros()],
    ['adam/v', zeros()],
  ]);
  const checkpoint = { ...tinyCheckpoint(1), config, parameters: zeros(), optimizerState };
  await saveCheckpoint(file, checkpoint);
  assertSameCheckpoint(loadCheckpoint(file), checkpoint);
  assert.deepEqual(readSafetensors(file).tensors.get('parameters/encoder/dense/bias')?.shape, [6]);
});

test('the same checkpoint has the same bytes', async () => {
  await saveCheckpoint(file, tinyCheckpoint(3));
  assert.deepEqual(readFileSync(file), Buffer.from(encodeCheckpoint(tinyCheckpoint(3)).bytes));
});
