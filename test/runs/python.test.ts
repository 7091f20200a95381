// Against the reference implementation of safetensors, through its Python package: LOWERBOUND_PYTHON, else
// python3.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parameterHash, saveCheckpoint } from '#src/runs/checkpoint.js';
import { encodeSafetensors, readSafetensors, type Tensor } from '#src/runs/safetensors.js';
import { exactFloats, tinyCheckpoint, tinyConfig } from './exampleRun.js';
import { temporaryDirectory } from './temporaryDirectory.js';

const python = process.env.LOWERBOUND_PYTHON ?? 'python3';
// Compiled into build/test/runs.
const reader = fileURLToPath(new URL('../../../test/runs/read_checkpoint.py', import.meta.url));
const file = join(temporaryDirectory(), 'x.safetensors');

function runPython(...args: string[]): string {
  const { error, status, stderr, stdout } = spawnSync(python, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Whoever names a Python wants it used, so then nothing is skipped. */
function missing(): string | false {
  if (process.env.LOWERBOUND_PYTHON !== undefined) return false;
  const { error, status, stderr } = spawnSync(python, ['-c', 'import numpy, safetensors'], {
    encoding: 'utf8',
  });
  if (error === undefined && status === 0) return false;
  const reason = error?.message ?? stderr.trim().split('\n').at(-1);
  return `${python} with the packages safetensors and numpy is not there (${reason}); LOWERBOUND_PYTHON names another`;
}

const skip = missing();

interface Description {
  readonly metadata: Record<string, string>;
  readonly tensors: Record<string, { dtype: string; shape: number[]; sum: number; sha256: string }>;
}

const bytesOf = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const sha256 = (tensor: Tensor) => createHash('sha256').update(bytesOf(tensor)).digest('hex');

test('Python reads a checkpoint: names, dtypes, shapes, sums, every byte, metadata', { skip }, async () => {
  const checkpoint = tinyCheckpoint(7);
  await saveCheckpoint(file, checkpoint);
  const found = JSON.parse(runPython(reader, file)) as Description;
  const { tensors, metadata } = readSafetensors(file);
  assert.deepEqual(found.metadata, Object.fromEntries(metadata));
  assert.deepEqual(JSON.parse(found.metadata.config!), tinyConfig);
  assert.equal(found.metadata.parametersSha256, parameterHash(checkpoint.parameters));
  const expected = [...tensors].map(([name, tensor]) => {
    // Exact in any order: multiples of 2^-24 below 1, fewer than 2^29 of them.
    const sum = (tensor.data as Float32Array).reduce((total, value) => total + value, 0);
    return [name, { dtype: 'float32', shape: tensor.shape, sum, sha256: sha256(tensor) }];
  });
  // Weights and biases of five layers, each with its two moments.
  assert.equal(expected.length, 5 * 2 * 3);
  assert.deepEqual(found.tensors, Object.fromEntries(expected));
});

test('Python reads every dtype, empty tensors, scalars and names outside ASCII', { skip }, () => {
  const tensors = new Map<string, Tensor>([
    ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
    ['größe/模型 "x"\n', { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1.5, -0) }],
    ['ints', { dtype: 'I32', shape: [2, 1], data: Int32Array.of(-5, 7) }],
    ['longs', { dtype: 'I64', shape: [1], data: BigInt64Array.of(-(2n ** 40n)) }],
    ['doubles', { dtype: 'F64', shape: [1], data: Float64Array.of(0.1) }],
    ['scalar', { dtype: 'F32', shape: [], data: Float32Array.of(3) }],
    ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
  ]);
  writeFileSync(file, encodeSafetensors({ tensors, metadata: new Map() }));
  const found = JSON.parse(runPython(reader, file)) as Description;
  const numpy = { U8: 'uint8', F32: 'float32', I32: 'int32', I64: 'int64', F64: 'float64' };
  assert.deepEqual(
    Object.fromEntries(Object.entries(found.tensors).map(([name, { sum: _, ...rest }]) => [name, rest])),
    Object.fromEntries(
      [...tensors].map(([name, tensor]) => {
        const { dtype, shape } = tensor;
        return [name, { dtype: numpy[dtype], shape, sha256: sha256(tensor) }];
      }),
    ),
  );
});

test('what Python writes is read here, and written here with the same bytes', { skip }, () => {
  runPython(
    '-c',
    `import sys, numpy
from safetensors.numpy import save_file
save_file({
    "longs": numpy.array([[-(2**40)], [3]], dtype=numpy.int64),
    "b": numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
    "a": numpy.array(0.1, dtype=numpy.float32),
    "bytes": numpy.array([1, 2, 255], dtype=numpy.uint8),
}, sys.argv[1], metadata={"key": "value ü"})`,
    file,
  );
  const content = readSafetensors(file);
  assert.deepEqual(content.metadata, new Map([['key', 'value ü']]));
  const tensors = new Map<string, Tensor>([
    ['longs', { dtype: 'I64', shape: [2, 1], data: BigInt64Array.of(-(2n ** 40n), 3n) }],
    ['a', { dtype: 'F32', shape: [], data: Float32Array.of(0.1) }],
    ['b', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) }],
    ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ]);
  assert.deepEqual(content.tensors, tensors);
  // The reference orders by element type, then by name, as the map above.
  const written = Buffer.from(encodeSafetensors({ tensors, metadata: content.metadata }));
  const print = 'import sys; sys.stdout.write(open(sys.argv[1], "rb").read().hex())';
  assert.equal(written.toString('hex'), runPython('-c', print, file));
});

test('what is refused here is refused by Python', { skip }, () => {
  const bytes = encodeSafetensors({
    tensors: new Map([['x', { dtype: 'F32', shape: [4], data: exactFloats(4, 0) }]]),
    metadata: new Map(),
  });
  for (const damaged of [
    bytes.subarray(0, -1),
    Buffer.concat([bytes, Buffer.of(0)]),
    bytes.subarray(0, 20),
  ]) {
    writeFileSync(file, damaged);
    assert.throws(() => readSafetensors(file));
    assert.match(spawnSync(python, [reader, file], { encoding: 'utf8' }).stderr, /SafetensorError/);
  }
});
