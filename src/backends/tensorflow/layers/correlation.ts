// conv2d, conv2dTranspose and dense, each with the gradient of all that is fused in it.
import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { activationOf } from '../../../model/activations/registry.js';
import type { CorrelationLayer, Layer } from '../../../model/model.js';
import { RELU_GRADIENT_NAME } from '../../../tfjs/reluGradient.js';
import { customGradient } from '../customGradient.js';
import type { DenseGradientsAttributes } from '../denseGradients.js';
import type { TfjsRuntime } from '../runtime.js';
import type { LayerKind, NetworkContext, Step } from './step.js';

export const correlation: LayerKind<CorrelationLayer> = (layer, context, needed, next) => {
  const relu = isRelu(next);
  return {
    step: weightedLayer(context, layer, relu, needed),
    layers: relu ? 2 : 1,
    needed: true,
  };
};

/** What the kernels of a correlation can apply to what they have computed. */
function isRelu(layer: Layer | undefined): boolean {
  return layer?.kind === 'activation' && activationOf(layer.activation).inEpilogue === true;
}

function reluGradient({ tf, fuses }: TfjsRuntime, dy: Tensor, y: Tensor): Tensor {
  return fuses ? tf.engine().runKernel(RELU_GRADIENT_NAME, { dy, x: y }) : tf.mul(dy, tf.step(y));
}

function weightedLayer(
  { runtime, parameters: { entries }, rowsPerExample }: NetworkContext,
  layer: CorrelationLayer,
  relu: boolean,
  inputGradient: boolean,
): Step {
  const { tf } = runtime;
  const passes = layer.type === 'dense' ? densePasses(runtime, layer, relu) : mapPasses(runtime, layer, relu);
  const [weightsPlace, biasPlace] = [entries.indexOf(layer.weights), entries.indexOf(layer.bias)];
  return (input, parameters, bounds) => {
    const [weights, bias] = [parameters[weightsPlace]!, parameters[biasPlace]!];
    const inputs = inputGradient ? [input, weights, bias] : [weights, bias];
    return customGradient(tf, inputs, (save) => {
      const value = passes.forward(input, weights, bias);
      save(input, value);
      return {
        value,
        gradients: (dValue, saved) => {
          const [savedInput, savedValue] = saved as [Tensor, Tensor];
          const d = relu ? reluGradient(runtime, dValue, savedValue) : dValue;
          const rowBounds = bounds.map((bound) => bound * rowsPerExample);
          const gradients = passes.parameterGradients(savedInput, d, rowBounds);
          return inputGradient ? [passes.inputGradient(d, weights), ...gradients] : gradients;
        },
      };
    });
  };
}

/** The kernels of a correlation: TensorFlow.js fuses bias and ReLU only where no gradient is asked for. */
interface Passes {
  forward(input: Tensor, weights: Tensor, bias: Tensor): Tensor;
  inputGradient(dOutput: Tensor, weights: Tensor): Tensor;
  parameterGradients(
    input: Tensor,
    dOutput: Tensor,
    bounds: readonly number[],
  ): [weights: Tensor, bias: Tensor];
}

function densePasses({ tf, denseGradients }: TfjsRuntime, layer: CorrelationLayer, relu: boolean): Passes {
  const engine = tf.engine();
  const product = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor =>
    engine.runKernel(tf.BatchMatMul, { a, b }, { transposeA, transposeB });
  const fused = {
    transposeA: false,
    transposeB: false,
    activation: relu ? 'relu' : 'linear',
    leakyreluAlpha: 0,
  };
  const forward = (a: Tensor, b: Tensor, bias: Tensor): Tensor =>
    engine.runKernel(tf._FusedMatMul, { a, b, bias }, fused);
  if (denseGradients === undefined) {
    return {
      forward,
      inputGradient: (d, weights) => product(d, weights, false, true),
      parameterGradients: (input, d) => [product(input, d, true, false), tf.sum(d, [0, 1])],
    };
  }
  return {
    forward,
    inputGradient: (d, weights) => product(d, weights, false, true),
    parameterGradients: (input, dOutput, bounds) => {
      const attributes: DenseGradientsAttributes = { layer, bounds };
      const inputs = { input, dOutput };
      return engine.runKernel(denseGradients, inputs, attributes as unknown as NamedAttrMap) as [
        Tensor,
        Tensor,
      ];
    },
  };
}

function mapPasses({ tf, fuses }: TfjsRuntime, layer: CorrelationLayer, relu: boolean): Passes {
  const engine = tf.engine();
  const run = (name: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor =>
    engine.runKernel(name, inputs, attributes);
  const common = { strides: [...layer.strides], pad: paddingOf(layer), dataFormat: 'NHWC' };
  const filterShape = [...layer.weights.shape];
  const convolution = { ...common, dilations: [1, 1] };
  const up = (dy: Tensor, filter: Tensor, bias: NamedTensorMap = {}, fused: NamedAttrMap = {}) => {
    const inputShape = [dy.shape[0]!, ...layer.big];
    return run(tf.Conv2DBackpropInput, { dy, filter, ...bias }, { ...common, ...fused, inputShape });
  };
  const filterGradient = (x: Tensor, dy: Tensor) =>
    run(tf.Conv2DBackpropFilter, { x, dy }, { ...common, filterShape });
  const biasGradient = (d: Tensor): Tensor => tf.sum(d, [0, 1, 2]);
  const activation = relu ? 'relu' : 'linear';
  if (layer.type === 'conv2d') {
    return {
      forward: (x, filter, bias) =>
        run(tf.FusedConv2D, { x, filter, bias }, { ...convolution, activation, leakyreluAlpha: 0 }),
      inputGradient: (d, filter) => up(d, filter),
      parameterGradients: (input, d) => [filterGradient(input, d), biasGradient(d)],
    };
  }
  return {
    forward: (input, filter, bias) => {
      if (fuses) return up(input, filter, { bias }, { activation });
      const sum = tf.add(up(input, filter), bias);
      return relu ? tf.relu(sum) : sum;
    },
    inputGradient: (x, filter) => run(tf.Conv2D, { x, filter }, convolution),
    parameterGradients: (input, d) => [filterGradient(d, input), biasGradient(d)],
  };
}

/**
 * The layer's padding in TensorFlow's words. Every resolved layer has one of the two; tfjs-node's gradients
 * take no other.
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
