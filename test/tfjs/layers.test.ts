import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tfl from '@tensorflow/tfjs-layers';
import { gamma } from '../kernels/float32.js';
import { layerCases, losses, optimizers } from './layerCases.js';
import { trainLayer, trainLoss } from './layerRun.js';
import { tf, useBackend } from './onWasm.js';

type Weights = Awaited<ReturnType<typeof trainLayer>>;

for (const layerCase of layerCases) {
  test(`LayersModel trains: ${layerCase.name}`, async () => {
    await assertSameTraining(() => trainLayer(tf, tfl, layerCase));
  });
}

test('the default initializer of recurrent layers makes an orthogonal matrix', async () => {
  await useBackend('wasm');
  const units = 6;
  const layer = tfl.layers.simpleRNN({ units });
  layer.apply(tfl.input({ shape: [3, 2] }));
  const matrix = layer.getWeights()[1]!;
  const product = tf.matMul(matrix, matrix, false, true).dataSync();
  // Six reflections, each of a few products of six numbers of at most 1, and their product.
  const bound = gamma(6 * 6 * 8 + 6) * units;
  product.forEach((value, i) => {
    const one = Number(i % (units + 1) === 0);
    assert.ok(Math.abs(value - one) <= bound, `[${i}] is ${value}, expected ${one}`);
  });
});

test('the metric r2Score is there', async () => {
  await useBackend('wasm');
  const score = tfl.metrics.r2Score(tf.tensor1d([1, 2, 3, 6]), tf.tensor1d([1, 2, 4, 4]));
  // 1 − (1 + 4) / (4 + 1 + 0 + 9), of three roundings.
  assert.ok(Math.abs(score.dataSync()[0]! - (1 - 5 / 14)) <= gamma(8));
});

for (const [loss, kind] of Object.entries(losses) as [keyof typeof losses, (typeof losses)['hinge']][]) {
  test(`LayersModel trains: loss ${loss}`, async () => {
    await assertSameTraining(() => trainLoss(tf, tfl, loss, kind, 'sgd'));
  });
}

for (const optimizer of optimizers) {
  test(`LayersModel trains: optimizer ${optimizer}`, async () => {
    await assertSameTraining(() => trainLoss(tf, tfl, 'meanSquaredError', 'numbers', optimizer));
  });
}

/**
 * The steps of both backends agree. A gradient here is made of at most 2,000 roundings on either, of numbers
 * no larger than 8 times the largest change of its tensor; a weight itself is rounded twice.
 */
async function assertSameTraining(run: () => Promise<Weights>): Promise<void> {
  await useBackend('cpu');
  const expected = await run();
  await useBackend('wasm');
  const actual = await run();
  let moved = 0;
  expected.after.forEach((after, i) => {
    const before = expected.before[i]!;
    const change = after.reduce((most, value, k) => Math.max(most, Math.abs(value - before[k]!)), 0);
    moved = Math.max(moved, change);
    after.forEach((value, k) => {
      const bound = 2 * gamma(2000) * 8 * change + gamma(2) * Math.abs(value);
      const error = Math.abs(actual.after[i]![k]! - value);
      assert.ok(
        error <= bound,
        `${expected.names[i]}[${k}] is ${actual.after[i]![k]}, expected ${value} ± ${bound}`,
      );
    });
  });
  assert.ok(moved > 0, 'no weight has changed');
}
