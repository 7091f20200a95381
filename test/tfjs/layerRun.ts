import type { LayersModel } from '@tensorflow/tfjs-layers';
import { real, type Tf } from './gradientCases.js';
import { valuesOf } from './gradientRun.js';
import type { LayerCase, losses, optimizers, Tfl } from './layerCases.js';

const BATCH = 4;

interface Weights {
  readonly names: readonly string[];
  readonly before: readonly Float32Array[];
  readonly after: readonly Float32Array[];
}

/** Weights that are the same on every backend; variances stay positive. */
export function setWeights(tf: Tf, model: LayersModel): void {
  const weights = model.weights.map((weight, i) => {
    const shape = weight.shape as number[];
    const low = /variance|gamma|alpha/.test(weight.originalName) ? 0.5 : -0.5;
    return tf.tensor(valuesOf(real(shape, low, low + 1), 7 * i + 1), shape);
  });
  model.setWeights(weights);
  tf.dispose(weights);
}

function read(model: LayersModel): Float32Array[] {
  return model.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
}

async function train(
  tf: Tf,
  model: LayersModel,
  x: number[],
  xShape: number[],
  y: number[],
  yShape: number[],
) {
  setWeights(tf, model);
  const before = read(model);
  const [input, target] = [tf.tensor(x, xShape), tf.tensor(y, yShape)];
  for (let step = 0; step < 2; step++) await model.trainOnBatch(input, target);
  const weights: Weights = { names: model.weights.map(({ name }) => name), before, after: read(model) };
  tf.dispose([input, target]);
  model.dispose();
  return weights;
}

/** Two steps of gradient descent on the backend that is set. */
export async function trainLayer(tf: Tf, tfl: Tfl, layerCase: LayerCase): Promise<Weights> {
  const onCpu = tf.getBackend() === 'cpu' ? layerCase.equivalent : undefined;
  const [first, ...others] = (onCpu ?? layerCase.layers)(tfl);
  const input = tfl.input({ shape: [...layerCase.inputShape] });
  let x = first!.apply(input);
  for (const layer of others) x = layer.apply(x);
  const rank = (x as { shape: number[] }).shape.length;
  if (rank > 2) x = tfl.layers.flatten().apply(x);
  const output = tfl.layers.dense({ units: 1 }).apply(x);
  const model = tfl.model({ inputs: input, outputs: output as ReturnType<Tfl['input']> });
  model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' });
  const { vocabulary, batch = BATCH } = layerCase;
  const shape = [batch, ...layerCase.inputShape];
  const values = vocabulary
    ? valuesOf({ shape, low: 0, high: vocabulary, kind: 'integers' }, 5)
    : valuesOf(real(shape), 5);
  return train(tf, model, values, shape, valuesOf(real([batch, 1]), 6), [batch, 1]);
}

/** Two steps of a dense model with a loss and an optimizer. */
export async function trainLoss(
  tf: Tf,
  tfl: Tfl,
  loss: keyof typeof losses,
  kind: (typeof losses)[keyof typeof losses],
  optimizer: (typeof optimizers)[number],
): Promise<Weights> {
  const units = kind === 'numbers' ? ('linear' as const) : ('softmax' as const);
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ units: 3, inputShape: [5], activation: units })],
  });
  const { train: of } = tf;
  const made = {
    sgd: () => of.sgd(0.05),
    momentum: () => of.momentum(0.05, 0.9),
    rmsprop: () => of.rmsprop(0.05),
    adam: () => of.adam(0.05),
    adamax: () => of.adamax(0.05),
    adagrad: () => of.adagrad(0.05),
    adadelta: () => of.adadelta(0.5),
  }[optimizer]();
  model.compile({ optimizer: made, loss });
  const rows = [0.2, 0.7, 0.1, 0.6, 0.1, 0.3, 0.1, 0.1, 0.8, 0.3, 0.3, 0.4];
  const y =
    kind === 'classes' ? [1, 0, 2, 1] : kind === 'probabilities' ? rows : valuesOf(real([BATCH, 3]), 8);
  const yShape = kind === 'classes' ? [BATCH, 1] : [BATCH, 3];
  return train(tf, model, valuesOf(real([BATCH, 5]), 5), [BATCH, 5], y, yShape);
}
