// The training step in TensorFlow.js: on its WebAssembly backend, as it comes or with our training kernels,
// or on tfjs-node. Set-up and protocol: docs/peers.md. Arguments: `wasm`, `kernels` or `node`, directory of
// the problem.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { answer, serve } from '../../build/bench/peers/conversation.js';
import { loadNative } from '../../dist/backends/tensorflow/native.js';
import { registerTrainingKernels } from '../../dist/tfjs/index.js';

const [backend, directory] = process.argv.slice(2);
const require = createRequire(import.meta.url);

async function load() {
  if (backend === 'node') return loadNative();
  const tf = require('@tensorflow/tfjs-core');
  // Its bundle registers the gradients; that of the core alone does not.
  require('@tensorflow/tfjs-layers');
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  if (backend === 'kernels') registerTrainingKernels(tf, { revectorize: true });
  await tf.setBackend('wasm');
  return tf;
}

// What libraries print must not be taken for an answer.
console.log = console.error;
console.info = console.error;
const tf = await load();
await tf.ready();
const problem = JSON.parse(readFileSync(join(directory, 'problem.json'), 'utf8'));
const { batchSize, samples, latent, input, adam } = problem;

function floats(name) {
  const bytes = readFileSync(join(directory, name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function tensors(name, shape) {
  const all = floats(name);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: all.length / size }, (_, i) =>
    tf.tensor(all.slice(i * size, (i + 1) * size), shape),
  );
}

/** [weights, bias] of each layer of a side. */
function layersOf(side) {
  const flat = floats('parameters.f32');
  const variable = ({ shape, offset, size }) =>
    tf.variable(tf.tensor(flat.slice(offset, offset + size), shape));
  const entries = problem.parameters.filter(({ name }) => name.startsWith(`${side}/`));
  const pairs = entries.filter(({ name }) => name.endsWith('/weights'));
  return pairs.map((weights) => [
    variable(weights),
    variable(entries.find(({ name }) => name === weights.name.replace(/weights$/, 'bias'))),
  ]);
}

const encoderLayers = layersOf('encoder');
const decoderLayers = layersOf('decoder');

const dense = (x, [weights, bias]) => tf.add(tf.matMul(x, weights), bias);
const conv2d = (x, [weights, bias]) => tf.add(tf.conv2d(x, weights, 2, 'valid'), bias);

/** weights [kh, kw, out, in]. */
function conv2dTranspose(x, [weights, bias], stride) {
  const [n, height, width] = x.shape;
  const shape = [n, height * stride, width * stride, weights.shape[2]];
  return tf.add(tf.conv2dTranspose(x, weights, shape, stride, 'same'), bias);
}

function perceptron(layers, activation) {
  return (x) =>
    layers.reduce(
      (y, layer, i) => (i + 1 < layers.length ? activation(dense(y, layer)) : dense(y, layer)),
      tf.reshape(x, [x.shape[0], -1]),
    );
}

const models = {
  cvae: () => [
    (x) => {
      const y = encoderLayers.slice(0, 2).reduce((map, layer) => tf.relu(conv2d(map, layer)), x);
      return dense(tf.reshape(y, [y.shape[0], -1]), encoderLayers[2]);
    },
    (z) => {
      const first = tf.reshape(tf.relu(dense(z, decoderLayers[0])), [-1, 7, 7, 32]);
      const y = decoderLayers
        .slice(1, 3)
        .reduce((map, layer) => tf.relu(conv2dTranspose(map, layer, 2)), first);
      return tf.reshape(conv2dTranspose(y, decoderLayers[3], 1), [z.shape[0], -1]);
    },
  ],
  mlp: () => [perceptron(encoderLayers, tf.relu), perceptron(decoderLayers, tf.relu)],
  iwae: () => [perceptron(encoderLayers, tf.tanh), perceptron(decoderLayers, tf.tanh)],
};
const [encoder, decoder] = models[problem.model]();

/** Minus the ELBO, mean over the batch, nats. */
function loss(x, noise) {
  const [mu, logvar] = tf.split(encoder(x), 2, 1);
  const centre = tf.reshape(mu, [batchSize, 1, latent]);
  const deviation = tf.reshape(tf.exp(tf.mul(logvar, 0.5)), [batchSize, 1, latent]);
  const z = tf.reshape(tf.add(centre, tf.mul(deviation, noise)), [-1, latent]);
  const logits = tf.reshape(decoder(z), [batchSize, samples, -1]);
  const target = tf.reshape(x, [batchSize, 1, -1]);
  // Row by row: this backend adds one term after the other, and a sum of 100,000 of them would lose a digit.
  const crossEntropy = tf.sum(tf.sum(tf.sub(tf.softplus(logits), tf.mul(logits, target)), 2));
  const kl = tf.sum(tf.sub(tf.add(tf.square(mu), tf.exp(logvar)), tf.add(logvar, 1)));
  return tf.div(tf.add(tf.div(crossEntropy, samples), tf.mul(kl, 0.5)), batchSize);
}

const batches = tensors('x.f32', [batchSize, ...input]);
const optimizer = tf.train.adam(adam.learningRate, adam.beta1, adam.beta2, adam.epsilon);
let place = 0;

/** The loss as a tensor, to be disposed of. */
function step(noise) {
  const x = batches[place++ % batches.length];
  return tf.tidy(() =>
    optimizer.minimize(() => loss(x, noise ?? tf.randomNormal([batchSize, samples, latent])), true),
  );
}

async function run(steps) {
  let last;
  for (let i = 0; i < steps; i++) {
    last?.dispose();
    last = step();
  }
  const [value] = await last.data();
  last.dispose();
  if (!Number.isFinite(value)) throw new Error(`The loss is ${value} after ${steps} steps.`);
}

async function firstLosses() {
  const losses = [];
  for (const noise of tensors('epsilon.f32', [batchSize, samples, latent])) {
    const value = step(noise);
    losses.push((await value.data())[0]);
    value.dispose();
  }
  return losses;
}

try {
  const name = { wasm: 'tfjs-backend-wasm', kernels: 'lowerbound/tfjs-wasm', node: 'tfjs-node' }[backend];
  await serve(`${name} ${tf.version_core ?? tf.version['tfjs-core']}`, await firstLosses(), run);
} catch (error) {
  // A backend without a kernel that the model needs.
  if (!/not registered for backend/.test(error.message)) throw error;
  answer({ cannot: error.message });
}
