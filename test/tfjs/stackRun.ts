// Three steps of gradient descent of a stack, the same on every backend.

import { words } from '../kernels/float32.js';
import { real, type Tf } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import { setWeights } from './layerRun.js';
import { modelOf, type Stack, type Tfl } from './stack.js';

const STEPS = 3;
const LEARNING_RATE = 0.02;

/** What three steps have computed. */
export interface Trained {
  /** `losses`, then the names of the weights. */
  readonly names: readonly string[];
  readonly values: readonly Float32Array[];
}

/** Layers without a seed of their own take one from Math.random. */
async function withSeededRandom<T>(f: () => Promise<T>): Promise<T> {
  const { random } = Math;
  const next = words(1);
  Math.random = () => next() / 2 ** 32;
  try {
    return await f();
  } finally {
    Math.random = random;
  }
}

/** On the backend that is set. */
export async function trainStack(tf: Tf, tfl: Tfl, stack: Stack): Promise<Trained> {
  return withSeededRandom(async () => {
    const model = modelOf(tfl, stack);
    setWeights(tf, model);
    model.compile({ optimizer: tf.train.sgd(LEARNING_RATE), loss: 'meanSquaredError' });
    const { batchShape, vocabulary } = stack;
    const x =
      vocabulary === undefined
        ? valuesOf(real(batchShape), 5)
        : valuesOf({ shape: batchShape, low: 0, high: vocabulary, kind: 'integers' }, 5);
    const count = model.outputs[0]!.shape[0] ?? batchShape[0]!;
    const [input, target] = [
      tf.tensor(x, [...batchShape]),
      tf.tensor(valuesOf(real([count, 1]), 6), [count, 1]),
    ];
    const losses = new Float32Array(STEPS);
    for (let step = 0; step < STEPS; step++)
      losses[step] = (await model.trainOnBatch(input, target)) as number;
    const values = [losses, ...model.getWeights().map((weight) => Float32Array.from(weight.dataSync()))];
    const names = ['losses', ...model.weights.map(({ name }) => name)];
    tf.dispose([input, target]);
    model.dispose();
    return { names, values };
  });
}
