// A convolutional network of TensorFlow.js's layers, trained on MNIST by model.fit on the backend `wasm`.
//
//   node examples/tfjs-layers/train.mjs            three epochs of all 60,000 images
//   node examples/tfjs-layers/train.mjs --help     options
//
// In a project of your own: npm install lowerbound @tensorflow/tfjs-core@4.22.0
// @tensorflow/tfjs-layers@4.22.0
// @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0

import { parseArgs } from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { loadDataset } from 'lowerbound';
import { registerTrainingKernels } from 'lowerbound/tfjs-wasm';

const CLASSES = 10;
const HELP = `node examples/tfjs-layers/train.mjs [--epochs 3] [--images 60000] [--batch-size 128]
  --images N: train on the first N images, and test on the first N test images`;

/** conv 16 → pool → conv 32 → pool → dense: 12,810 parameters. */
function buildModel() {
  const model = layers.sequential({
    layers: [
      layers.layers.conv2d({ inputShape: [28, 28, 1], filters: 16, kernelSize: 3, activation: 'relu' }),
      layers.layers.maxPooling2d({ poolSize: 2 }),
      layers.layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu' }),
      layers.layers.maxPooling2d({ poolSize: 2 }),
      layers.layers.flatten(),
      layers.layers.dense({ units: CLASSES, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The first images of a set: x [count, height, width, 1] in 0 … 1, y [count, 10], one-hot. */
function tensorsOf({ count, height, width, pixels, labels }, most) {
  const used = Math.min(count, most);
  const size = height * width;
  const x = Float32Array.from(pixels.subarray(0, used * size), (grey) => grey / 255);
  const y = new Float32Array(used * CLASSES);
  for (let i = 0; i < used; i++) y[i * CLASSES + labels[i]] = 1;
  return { x: tf.tensor4d(x, [used, height, width, 1]), y: tf.tensor2d(y, [used, CLASSES]) };
}

/** What TensorFlow.js says of one step with its own kernels. */
async function stockFailure({ x, y }) {
  try {
    await buildModel().fit(tf.slice(x, 0, 8), tf.slice(y, 0, 8), { epochs: 1, verbose: 0 });
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function readOptions() {
  const number = (value, name) => {
    if (!/^[1-9]\d*$/.test(value))
      throw new Error(`--${name} takes a whole number from 1 up, not "${value}".`);
    return Number(value);
  };
  const options = {
    epochs: { type: 'string', default: '3' },
    images: { type: 'string', default: '60000' },
    'batch-size': { type: 'string', default: '128' },
    help: { type: 'boolean', default: false },
  };
  const { help, ...values } = parseArgs({ options }).values;
  const numbers = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, number(value, name)]),
  );
  return { help, ...numbers };
}

async function main() {
  const { help, epochs, images, 'batch-size': batchSize } = readOptions();
  if (help) return console.log(HELP);
  await tf.setBackend('wasm');
  const mnist = loadDataset();
  const train = tensorsOf(mnist.train, images);
  const test = tensorsOf(mnist.test, images);
  const failure = await stockFailure(train);
  console.log(`TensorFlow.js ${tf.version_core} alone, on wasm: ${failure ?? 'it trains this model'}`);

  for (const warning of registerTrainingKernels(tf, { revectorize: true })) console.warn(warning);
  const model = buildModel();
  const progress = new Progress(Math.ceil(train.x.shape[0] / batchSize));
  let started = performance.now();
  await model.fit(train.x, train.y, {
    epochs,
    batchSize,
    validationData: [test.x, test.y],
    verbose: 0,
    callbacks: {
      onEpochBegin: (epoch) => {
        started = performance.now();
        progress.begin(`epoch ${epoch + 1}/${epochs}`);
      },
      onBatchEnd: (batch, { loss }) => progress.step(batch + 1, loss),
      onEpochEnd: (epoch, { loss, acc, val_acc: tested }) => {
        progress.end();
        const seconds = (performance.now() - started) / 1000;
        console.log(
          `epoch ${epoch + 1}/${epochs}: loss ${loss.toFixed(4)}, accuracy ${percent(acc)}, test ${percent(tested)}, ` +
            `${seconds.toFixed(1)} s, ${Math.round(train.x.shape[0] / seconds)} images/s, test included`,
        );
      },
    },
  });
}

/** One line that is rewritten on a terminal; elsewhere, as in a log, a line every five seconds. */
class Progress {
  #steps;
  #epoch = '';
  #interval = process.stdout.isTTY ? 100 : 5000;
  #next = 0;

  constructor(steps) {
    this.#steps = steps;
  }

  begin(epoch) {
    this.#epoch = epoch;
    this.#next = performance.now() + this.#interval;
  }

  step(step, loss) {
    if (performance.now() < this.#next) return;
    this.#next = performance.now() + this.#interval;
    const line = `${this.#epoch}: step ${step}/${this.#steps}, loss ${loss.toFixed(4)}`;
    process.stdout.write(process.stdout.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  end() {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  }
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}

await main();
