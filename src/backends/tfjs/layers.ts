// The layers of a model over TensorFlow.js, each weighted layer with the gradient of all that is fused in it.
import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { CorrelationLayer, Layer, Model, Shape } from '../../model/model.js';
import { customGradient } from './customGradient.js';
import type { Tfjs } from './runtime.js';

/** Input and all parameters (in the order of the layout) to output. */
export type Network = (input: Tensor, parameters: readonly Tensor[]) => Tensor;

/** Vectors are matrices of a batch of one, [1, rows, width], which is what matMul's kernels take without a reshape. */
export function batchShape(rows: number, shape: Shape): number[] {
  return shape.length === 1 ? [1, rows, shape[0]!] : [rows, ...shape];
}

/** The shape of a parameter's tensor: a dense layer's weights are a batch of one, too. */
export function parameterShape(shape: Shape): number[] {
  return shape.length === 2 ? [1, ...shape] : [...shape];
}

/**
 * The layers, one behind the other.
 * @param inputGradient whether the gradient is to go on to the input.
 */
export function network(
  tf: Tfjs,
  model: Model,
  layers: readonly Layer[],
  rows: number,
  inputGradient: boolean,
): Network {
  const steps: Network[] = [];
  let needed = inputGradient;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i]!;
    if (layer.kind !== 'correlation') {
      steps.push(plainLayer(tf, layer, rows));
      continue;
    }
    const next = layers[i + 1];
    const relu = next?.kind === 'activation' && next.activation === 'relu';
    steps.push(weightedLayer(tf, model, layer, relu, needed));
    needed = true;
    if (relu) i++;
  }
  return (input, parameters) => steps.reduce((value, step) => step(value, parameters), input);
}

function plainLayer(tf: Tfjs, layer: Exclude<Layer, CorrelationLayer>, rows: number): Network {
  if (layer.kind === 'reshape') {
    const shape = batchShape(rows, layer.output);
    return (input) => reshape(tf, input, shape);
  }
  return layer.activation === 'relu' ? (input) => relu(tf, input) : (input) => tanh(tf, input);
}

// tfjs-core registers no gradients of its own operations: they come with the package tfjs.

export function reshape(tf: Tfjs, input: Tensor, shape: number[]): Tensor {
  const { shape: before } = input;
  return customGradient(tf, [input], () => ({
    value: tf.reshape(input, shape),
    gradients: (d) => [tf.reshape(d, before)],
  }));
}

function relu(tf: Tfjs, input: Tensor): Tensor {
  return customGradient(tf, [input], (save) => {
    const value = tf.relu(input);
    save(value);
    return { value, gradients: (d, [y]) => [tf.mul(d, tf.step(y!))] };
  });
}

function tanh(tf: Tfjs, input: Tensor): Tensor {
  return customGradient(tf, [input], (save) => {
    const value = tf.tanh(input);
    save(value);
    return { value, gradients: (d, [y]) => [tf.mul(d, tf.sub(1, tf.square(y!)))] };
  });
}

/** The kernels of a correlation: TensorFlow.js fuses bias and relu only where no gradient is asked for. */
interface Passes {
  forward(input: Tensor, weights: Tensor, bias: Tensor): Tensor;
  inputGradient(dOutput: Tensor, weights: Tensor): Tensor;
  weightGradient(input: Tensor, dOutput: Tensor): Tensor;
}

function weightedLayer(
  tf: Tfjs,
  model: Model,
  layer: CorrelationLayer,
  relu: boolean,
  inputGradient: boolean,
): Network {
  const passes = passesOf(tf, layer, relu);
  const { entries } = model.parameters;
  const [weightsPlace, biasPlace] = [entries.indexOf(layer.weights), entries.indexOf(layer.bias)];
  const axes = layer.type === 'dense' ? [0, 1] : [0, 1, 2];
  return (input, parameters) => {
    const [weights, bias] = [parameters[weightsPlace]!, parameters[biasPlace]!];
    const inputs = inputGradient ? [input, weights, bias] : [weights, bias];
    return customGradient(tf, inputs, (save) => {
      const value = passes.forward(input, weights, bias);
      save(input, value);
      return {
        value,
        gradients: (dValue, saved) => {
          const [savedInput, savedValue] = saved as [Tensor, Tensor];
          const d = relu ? tf.mul(dValue, tf.step(savedValue)) : dValue;
          const gradients = [passes.weightGradient(savedInput, d), tf.sum(d, axes)];
          return inputGradient ? [passes.inputGradient(d, weights), ...gradients] : gradients;
        },
      };
    });
  };
}

function passesOf(tf: Tfjs, layer: CorrelationLayer, relu: boolean): Passes {
  const engine = tf.engine();
  const run = (name: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor =>
    engine.runKernel(name, inputs, attributes);
  const activation = relu ? 'relu' : 'linear';
  if (layer.type === 'dense') {
    const attributes = { transposeA: false, transposeB: false, activation, leakyreluAlpha: 0 };
    return {
      forward: (a, b, bias) => run(tf._FusedMatMul, { a, b, bias }, attributes),
      inputGradient: (a, b) => run(tf.BatchMatMul, { a, b }, { transposeA: false, transposeB: true }),
      weightGradient: (a, b) => run(tf.BatchMatMul, { a, b }, { transposeA: true, transposeB: false }),
    };
  }
  const common = {
    strides: [...layer.strides],
    pad: paddingOf(layer),
    dataFormat: 'NHWC',
  };
  const dilations = [1, 1];
  const filterShape = [...layer.weights.shape];
  const up = (dy: Tensor, filter: Tensor) =>
    run(tf.Conv2DBackpropInput, { dy, filter }, { ...common, inputShape: [dy.shape[0]!, ...layer.big] });
  const filterGradient = (x: Tensor, dy: Tensor) =>
    run(tf.Conv2DBackpropFilter, { x, dy }, { ...common, filterShape });
  if (layer.type === 'conv2d') {
    const attributes = { ...common, dilations, activation, leakyreluAlpha: 0 };
    return {
      forward: (x, filter, bias) => run(tf.FusedConv2D, { x, filter, bias }, attributes),
      inputGradient: up,
      weightGradient: filterGradient,
    };
  }
  return {
    forward: (input, filter, bias) => {
      const sum = tf.add(up(input, filter), bias);
      return relu ? tf.relu(sum) : sum;
    },
    inputGradient: (x, filter) => run(tf.Conv2D, { x, filter }, { ...common, dilations }),
    weightGradient: (input, dOutput) => filterGradient(dOutput, input),
  };
}

/**
 * The layer's padding in TensorFlow's words. Every resolved layer has one of the two; tfjs-node's gradients take no other.
 * @throws Error for a layer that has neither.
 */
export function paddingOf(layer: CorrelationLayer): 'same' | 'valid' {
  const { name, big, small, kernel, strides, padding } = layer;
  const axes = [0, 1] as const;
  const same = axes.every((axis) => {
    const needed = Math.max((small[axis] - 1) * strides[axis] + kernel[axis] - big[axis], 0);
    return small[axis] === Math.ceil(big[axis] / strides[axis]) && padding[axis] === Math.floor(needed / 2);
  });
  if (same) return 'same';
  const valid = axes.every(
    (axis) =>
      padding[axis] === 0 && small[axis] === Math.floor((big[axis] - kernel[axis]) / strides[axis]) + 1,
  );
  if (valid) return 'valid';
  throw new Error(
    `Layer "${name}" has the padding [${padding.join(', ')}], which is neither "same" nor "valid": TensorFlow.js has no other.`,
  );
}
