import { type Convolution, readConvolution } from './convolution.js';
import { correlate } from './correlate.js';
import { applyEpilogue, biasRow, type Epilogue, readEpilogue } from './epilogue.js';
import { computeFilterGradient } from './filterGradient.js';
import type { Host } from './host.js';
import type { TensorInfo } from './tensorflow.js';
import type { KernelCall, TrainingKernel } from './trainingKernel.js';

const conv2d: TrainingKernel = {
  kernelName: 'Conv2D',
  run({ tf, host, inputs, attrs }: KernelCall) {
    const { x, filter } = inputs;
    if (!allFloat(x, filter)) return undefined;
    const convolution = readConvolution(tf, x!.shape, filter!.shape, attrs);
    return convolution && convolve(host, convolution, x!, filter!, readEpilogue('Conv2D', {}, {}));
  },
};

const fusedConv2d: TrainingKernel = {
  kernelName: 'FusedConv2D',
  run({ tf, host, inputs, attrs }: KernelCall) {
    const { x, filter, bias, preluActivationWeights } = inputs;
    if (!allFloat(x, filter, ...optional(bias, preluActivationWeights))) return undefined;
    const convolution = readConvolution(tf, x!.shape, filter!.shape, attrs);
    const epilogue = readEpilogue('FusedConv2D', { bias, preluActivationWeights }, attrs);
    return convolution && convolve(host, convolution, x!, filter!, epilogue);
  },
};

function convolve(
  host: Host,
  convolution: Convolution,
  x: TensorInfo,
  filter: TensorInfo,
  epilogue: Epilogue,
): TensorInfo {
  return correlateMaps(host, 'down', convolution, x, filter, epilogue);
}

/**
 * The gradient of a convolution's input, and the forward pass of conv2dTranspose. Takes a bias and an
 * activation as FusedConv2D does, which TensorFlow.js itself never passes.
 */
const conv2dBackpropInput: TrainingKernel = {
  kernelName: 'Conv2DBackpropInput',
  run({ tf, host, inputs, attrs }: KernelCall) {
    const { dy, filter, bias } = inputs;
    if (!allFloat(dy, filter, ...optional(bias))) return undefined;
    const inputShape = attrs.inputShape as readonly number[];
    const convolution = readConvolution(tf, inputShape, filter!.shape, { ...attrs, dilations: 1 }, dy);
    const epilogue = readEpilogue('Conv2DBackpropInput', { bias }, attrs);
    return convolution && correlateMaps(host, 'up', convolution, dy!, filter!, epilogue);
  },
};

const conv2dBackpropFilter: TrainingKernel = {
  kernelName: 'Conv2DBackpropFilter',
  run({ tf, host, inputs, attrs }: KernelCall) {
    const { x, dy } = inputs;
    if (!allFloat(x, dy)) return undefined;
    const filterShape = attrs.filterShape as readonly number[];
    // tfjs-core passes no dilations; our gradient of a dilated convolution does.
    const convolution = readConvolution(tf, x!.shape, filterShape, attrs, dy);
    if (convolution === undefined) return undefined;
    const { tensor, address } = host.output(filterShape);
    computeFilterGradient(host, convolution, {
      x: host.address(x!),
      dy: host.address(dy!),
      gradient: address,
    });
    return tensor;
  },
};

export const CONVOLUTION_KERNELS: readonly TrainingKernel[] = [
  conv2d,
  fusedConv2d,
  conv2dBackpropInput,
  conv2dBackpropFilter,
];

function correlateMaps(
  host: Host,
  direction: 'down' | 'up',
  convolution: Convolution,
  input: TensorInfo,
  filter: TensorInfo,
  epilogue: Epilogue,
): TensorInfo {
  const { batch, big, small } = convolution;
  const shape = [batch, ...(direction === 'down' ? small : big)];
  const { tensor, address } = host.output(shape);
  const bias = biasRow(host, epilogue, shape[3]!);
  const addsBias = epilogue.bias === undefined || bias !== 0;
  const relu = addsBias && epilogue.activation === 'relu';
  correlate(host, direction, convolution, {
    source: host.address(input),
    filter: host.address(filter),
    target: address,
    bias,
    relu,
  });
  applyEpilogue(host, epilogue, address, shape, { bias: addsBias, relu });
  return tensor;
}

function allFloat(...tensors: readonly (TensorInfo | undefined)[]): boolean {
  return tensors.every((tensor) => tensor?.dtype === 'float32');
}

function optional(...tensors: readonly (TensorInfo | undefined)[]): TensorInfo[] {
  return tensors.filter((tensor) => tensor != null);
}
