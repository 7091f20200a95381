// GFLOP/s of TensorFlow.js's products and convolutions, its own kernels and ours, in one run, at the shapes
// of the cvae and the mlp. Results are compared where both have the kernel. Usage: node
// build/bench/tfjs/products.js [BATCH]

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { paddingOf } from '#src/backends/tensorflow/layers/correlation.js';
import type { CorrelationLayer } from '#src/model/model.js';
import { presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import { registerTrainingKernels } from '#src/tfjs/index.js';
import { printTable } from '../printTable.js';
import { oneDecimal, times } from '../section.js';
import { medianCall } from './timing.js';

/** The length of one round. */
const MILLISECONDS = 30;

interface Case {
  readonly name: string;
  readonly operations: number;
  readonly run: () => tf.Tensor;
}

const sample = (shape: readonly number[]) => tf.randomUniform([...shape], -1, 1);

function kernel(name: string, inputs: tf.NamedTensorMap, attributes: Record<string, unknown>): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap);
}

/** The forward pass and both gradients of a layer. */
function layerCases(model: string, layer: CorrelationLayer, batch: number): Case[] {
  return layer.type === 'dense' ? denseCases(model, layer, batch) : mapCases(model, layer, batch);
}

function denseCases(model: string, { big, small }: CorrelationLayer, batch: number): Case[] {
  const [inputs, outputs] = [big[2], small[2]];
  const x = sample([1, batch, inputs]);
  const weights = sample([1, inputs, outputs]);
  const dy = sample([1, batch, outputs]);
  const product = (what: string, a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean) => ({
    name: `${model} ${what} ${inputs} → ${outputs}`,
    operations: 2 * batch * inputs * outputs,
    run: () => kernel('BatchMatMul', { a, b }, { transposeA, transposeB }),
  });
  return [
    product('matMul', x, weights, false, false),
    product('matMul, dx', dy, weights, false, true),
    product('matMul, dW', x, dy, true, false),
  ];
}

function mapCases(model: string, layer: CorrelationLayer, batch: number): Case[] {
  const { big, small, kernel: taps, strides } = layer;
  const filterShape = [...taps, big[2], small[2]];
  const [x, dy, filter] = [sample([batch, ...big]), sample([batch, ...small]), sample(filterShape)];
  const attributes = { strides: [...strides], pad: paddingOf(layer), dataFormat: 'NHWC' };
  const pass = (name: string, inputs: tf.NamedTensorMap, more: Record<string, unknown>) => ({
    name: `${model} ${name} ${big.join('×')}, ${small.join('×')}`,
    operations: 2 * batch * small[0] * small[1] * taps[0] * taps[1] * big[2] * small[2],
    run: () => kernel(name, inputs, { ...attributes, ...more }),
  });
  return [
    pass('Conv2D', { x, filter }, { dilations: [1, 1] }),
    pass('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }),
    pass('Conv2DBackpropFilter', { x, dy }, { filterShape }),
  ];
}

/** Undefined where TensorFlow.js has no such kernel. */
function measure({ run, operations }: Case): { rate: number; values: ArrayLike<number> } | undefined {
  const once = () => run().dispose();
  let values: ArrayLike<number>;
  try {
    values = tf.tidy(() => run().dataSync());
  } catch (error) {
    if (/not registered/.test((error as Error).message)) return undefined;
    throw error;
  }
  const start = performance.now();
  while (performance.now() - start < 3 * MILLISECONDS) once();
  return { rate: operations / medianCall(once, MILLISECONDS) / 1e6, values };
}

/**
 * Sums of up to n products of numbers up to 1, in any two orders, differ by 2 n² u at most; n is below 10⁵,
 * and errors are random.
 */
function assertAgree(name: string, a: ArrayLike<number>, b: ArrayLike<number>): void {
  for (let i = 0; i < a.length; i++) {
    if (!(Math.abs(a[i]! - b[i]!) <= 0.01)) throw new Error(`${name}: ${a[i]} and ${b[i]} at ${i}.`);
  }
}

const batch = Number(process.argv[2] ?? 128);
await tf.setBackend('wasm');
const cases = (['mlp', 'cvae'] as const).flatMap((name) => {
  const spec = presetSpec(name, [28, 28, 1]);
  const model = resolveModel({ ...spec, input: [28, 28, 1] }, { latent: spec.latent });
  const layers = [...model.encoder, ...model.decoder];
  return layers.flatMap((layer) => (layer.kind === 'correlation' ? layerCases(name, layer, batch) : []));
});
const stock = cases.map(measure);
registerTrainingKernels(tf, { revectorize: true });
const rows = cases.map((each, i) => {
  const [before, after] = [stock[i], measure(each)!];
  if (before === undefined) return { name: each.name, stock: 'none', ours: after.rate, ratio: '' };
  assertAgree(each.name, before.values, after.values);
  return { name: each.name, stock: before.rate, ours: after.rate, ratio: after.rate / before.rate };
});
console.log(
  printTable({
    title: `${process.version}: GFLOP/s, batch ${batch}`,
    columns: [
      { key: 'name', heading: 'kernel' },
      { key: 'stock', heading: 'stock', format: oneDecimal },
      { key: 'ours', heading: 'ours', format: oneDecimal },
      { key: 'ratio', heading: 'faster', format: times },
    ],
    identity: ['name'],
    measure: { key: 'ours', better: 'higher' },
    rows,
  }),
);
