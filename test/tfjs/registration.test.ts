import assert from 'node:assert/strict';
import { before, describe, it, mock } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { Rank, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as plainTf from '@tensorflow/tfjs-core';
import { addressOf } from '#src/kernels/address.js';
import { choosePlatform } from '#src/kernels/platform.js';
import { Host } from '#src/tfjs/host.js';
import { registerTrainingKernels, type TensorFlow } from '#src/tfjs/index.js';
import type { WasmBackend } from '#src/tfjs/tensorflow.js';
import { addProduct, assertSums, Sums, sampleValues } from './boundedProduct.js';

describe('registerTrainingKernels', () => {
  it('says what is missing where there is no backend wasm', () => {
    const without: TensorFlow = { ...plainTf, findBackendFactory: () => undefined };
    assert.throws(() => registerTrainingKernels(without), {
      name: 'UsageError',
      message:
        "TensorFlow.js has no backend 'wasm' here, so there is nothing to register training kernels for. Install and import " +
        "'@tensorflow/tfjs-backend-wasm' first, of the same version as the TensorFlow.js that was passed in.",
    });
  });

  it('mends the stock kernel that adds a bias to the wrong columns', async () => {
    const { tf, useBackend } = await stockTensorFlow();
    await useBackend('wasm');
    const product = () => {
      const a = tf.ones<Rank.R2>([4, 100]);
      const b = tf.ones<Rank.R2>([3, 100]);
      return tf.fused.matMul({ a, b, transposeB: true, bias: tf.tensor1d([1, 2, 3]) }).arraySync();
    };
    const right = new Array(4).fill([101, 102, 103]);
    assert.notDeepEqual(product(), right, 'the stock kernel is right now: facts about it need a look');
    registerTrainingKernels(tf);
    assert.deepEqual(product(), right);
  });

  it('may be called again, without a warning, and keeps the stock kernels for other dtypes', async () => {
    const { tf, useBackend } = await stockTensorFlow();
    await useBackend('wasm');
    const warn = mock.method(console, 'warn', () => undefined);
    for (const options of [{}, { tile: '4x16' }, {}] as const) {
      assert.deepEqual(registerTrainingKernels(tf, options), []);
    }
    assert.equal(warn.mock.callCount(), 0);
    warn.mock.restore();
    const a = tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32');
    assert.throws(
      () => tf.matMul(a, a),
      ({ message, stack = '' }: Error) => {
        assert.equal(message, 'BatchMatMul for non non-float32 tensors not yet supported.');
        assert.equal(stack.match(/tfjs\/register\.js/g)?.length, 1, 'kernels of ours were stacked');
        return true;
      },
    );
    assert.throws(
      () =>
        tf
          .engine()
          .runKernel(
            'Conv2DBackpropFilter',
            { x: tf.ones([1, 2, 2, 1], 'int32'), dy: tf.ones([1, 2, 2, 1], 'int32') },
            { filterShape: [1, 1, 1, 1], strides: [1, 1], pad: 'same' },
          ),
      {
        message:
          "The wasm backend cannot compute 'Conv2DBackpropFilter' of (x: int32, dy: int32): TensorFlow.js has no such kernel " +
          'there, and that of the training kernels takes float32 alone. Cast the tensors to float32.',
      },
    );
  });

  it('takes every tile and both arithmetic modes to the same product', async () => {
    const { tf, useBackend } = await stockTensorFlow();
    await useBackend('wasm');
    for (const arithmetic of ['portable', undefined] as const) {
      for (const tile of ['4x8', '6x8', '4x16', '6x16'] as const) {
        registerTrainingKernels(tf, { tile, ...(arithmetic && { arithmetic }) });
        checkProduct(tf, 33, 37, 129);
      }
    }
  });
});

describe('the memory of the wasm backend', () => {
  let tf: typeof plainTf;
  let backend: BackendWasm & WasmBackend;

  before(async () => {
    const { tf: loaded, useBackend } = await stockTensorFlow();
    tf = loaded;
    registerTrainingKernels(tf);
    await useBackend('wasm');
    backend = tf.backend() as BackendWasm & WasmBackend;
  });

  const bytes = () => backend.wasm.asm!.memory!.buffer.byteLength;

  it('may grow before a kernel, and in it', () => {
    const start = bytes();
    checkProduct(tf, 20, 30, 40);
    const large = tf.zeros([bytes() / 4]);
    assert.ok(bytes() > start);
    checkProduct(tf, 20, 30, 40);
    large.dispose();
    const full = bytes();
    checkLargeProduct(tf, full);
    assert.ok(bytes() > full);
    checkProduct(tf, 20, 30, 40);
  });

  it('is given back: tensors, plans and scratch memory', () => {
    const work = () => {
      for (let size = 4; size < 36; size++) {
        tf.tidy(() => {
          const x = tf.ones<Rank.R4>([2, size, size, 3]);
          const filter = tf.ones<Rank.R4>([3, 3, 3, 5]);
          tf.grads((a, b) => tf.conv2d(a as Tensor4D, b as Tensor4D, 2, 'same'))([x, filter]);
          tf.matMul(tf.ones<Rank.R2>([size, 70]), tf.ones<Rank.R2>([90, 70]), false, true);
        });
      }
    };
    work();
    const [tensors, size] = [tf.memory().numTensors, bytes()];
    for (let i = 0; i < 10; i++) work();
    assert.equal(tf.memory().numTensors, tensors);
    assert.equal(bytes(), size);
  });

  it('aligns tensors to eight bytes alone, and the kernels need no more', () => {
    const addresses = new Set<number>();
    for (let i = 0; i < 12; i++) {
      const shift = tf.zeros([1 + 2 * i]);
      const probe = tf.zeros([3]);
      addresses.add(backend.getMemoryOffset(probe.dataId) % 16);
      checkProduct(tf, 9 + i, 17, 33);
      shift.dispose();
    }
    assert.ok(addresses.has(8), 'no tensor was unaligned');
  });

  it('is reached by reads up to its end', () => {
    const host = new Host(backend, choosePlatform());
    const end = bytes();
    host.heap.reach(end - 1000);
    assert.equal(bytes(), end);
    host.heap.reach(end);
    assert.ok(bytes() >= end + 256);
    checkProduct(tf, 20, 30, 40);
  });

  it('holds a bounded number of plans', () => {
    const host = new Host(backend, choosePlatform());
    let made = 0;
    const plan = (key: number) =>
      host.plan(`plan ${key}`, (arena) => {
        made++;
        return { table: arena.table([key, key + 1]), many: arena.floats(100_000) };
      });
    for (let key = 0; key < 200; key++) {
      assert.deepEqual([...host.words(plan(key).table, 2)], [key, key + 1]);
    }
    const size = bytes();
    for (let key = 0; key < 1000; key++) plan(key);
    assert.equal(bytes(), size);
    made = 0;
    plan(999);
    assert.equal(made, 0, 'a plan that was just used is kept');
    plan(0);
    assert.ok(made > 0, 'an old plan was dropped');
  });

  it('refuses to free what it did not give', () => {
    const host = new Host(backend, choosePlatform());
    assert.throws(() => host.heap.free(addressOf(12)), { message: 'Nothing was allocated at address 12.' });
  });

  it('is recognised, or refused in a sentence', () => {
    const strange = { wasm: { _malloc: () => 0 } } as unknown as WasmBackend;
    assert.throws(() => new Host(strange, choosePlatform()), {
      message:
        "The backend 'wasm' of this TensorFlow.js does not show its memory where version 4.22 does. " +
        'Use @tensorflow/tfjs-backend-wasm 4.22.',
    });
  });
});

describe('two threads', () => {
  it('each with its own backend, compute the same at once', async () => {
    const file = new URL('./productWorker.js', import.meta.url);
    const run = () =>
      new Promise<Float32Array[]>((resolve, reject) => {
        const worker = new Worker(file);
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    const [first, second] = await Promise.all([run(), run()]);
    assert.deepEqual(first, second);
    const sums = productSums(sampleValues(40 * 70, 1), sampleValues(30 * 70, 2), 40, 30, 70);
    assertSums(first[0]!, sums, 'the product of a thread');
  });
});

/** TensorFlow.js with the kernels of the wasm backend as they were before any test registered ours. */
async function stockTensorFlow(): Promise<typeof import('./onStock.js')> {
  const stock = await import('./onStock.js');
  stock.restoreKernels();
  return stock;
}

function productSums(a: Float32Array, b: Float32Array, m: number, n: number, k: number): Sums {
  const sums = new Sums(m * n);
  addProduct(
    { values: a, offset: 0, rows: m, columns: k, transposed: false },
    { values: b, offset: 0, rows: n, columns: k, transposed: true },
    sums,
    0,
  );
  return sums;
}

function checkProduct(tf: typeof plainTf, m: number, n: number, k: number): void {
  const a = sampleValues(m * k, 1);
  const b = sampleValues(n * k, 2);
  tf.tidy(() => {
    const out = tf.matMul(tf.tensor2d(a, [m, k]), tf.tensor2d(b, [n, k]), false, true) as Tensor2D;
    assertSums(out.dataSync(), productSums(a, b, m, n, k), `[${m}, ${k}] · [${n}, ${k}]ᵀ`);
  });
}

/** A product as large as all of the memory, whose output and scratch memory must make it grow. */
function checkLargeProduct(tf: typeof plainTf, bytes: number): void {
  const [m, k] = [64, 8];
  const n = Math.ceil(bytes / 4 / m);
  const [a, b] = [sampleValues(m * k, 1), sampleValues(n * k, 2)];
  tf.tidy(() => {
    const out = tf.matMul(tf.tensor2d(a, [m, k]), tf.tensor2d(b, [n, k]), false, true).dataSync();
    const ends = [0, n - 9];
    for (const first of ends) {
      const columns = productSums(a, b.subarray(first * k, (first + 9) * k), m, 9, k);
      const values = Float32Array.from(
        { length: m * 9 },
        (_, i) => out[Math.floor(i / 9) * n + first + (i % 9)]!,
      );
      assertSums(values, columns, `columns from ${first}`);
    }
  });
}
