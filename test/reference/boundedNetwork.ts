// network.ts with a bound on every element: how far an implementation may be from it that rounds every
// operation and sums in any order. The bounds are rigorous, not only first-order, up to the float64 roundings
// of their own.

import type { ActivationLayer, CorrelationLayer, Layer, ResidualLayer } from '#src/model/model.js';
import { referenceActivations } from './activations.js';
import { numberAt } from './boundedNumber.js';
import { correlateToBig, correlateToSmall, correlateToWeights } from './correlation.js';
import { floatsIn, layerBackward, layerForward } from './network.js';
import { resampleBackwardBound, resampleForwardBound } from './resample.js';
import { type Analysis, type Arithmetic, type Bounded, gamma, largest } from './rounding.js';

/** layerForward with bounds. */
export function boundedLayerForward(
  layer: Layer,
  rows: number,
  parameters: Float64Array,
  input: Bounded,
  arithmetic: Arithmetic,
): Bounded {
  const value = layerForward(layer, rows, parameters, input.value);
  switch (layer.kind) {
    case 'correlation':
      return { value, bound: correlationForwardBound(layer, rows, parameters, input, arithmetic) };
    case 'activation':
      return { value, bound: activationForwardBound(layer, input, arithmetic) };
    case 'reshape':
      return { value, bound: input.bound };
    case 'resample':
      return { value, bound: resampleForwardBound(layer, rows, input, arithmetic) };
    case 'residual': {
      const analysis = { arithmetic, carry };
      const { output } = boundedNetworkForward(layer.layers, rows, parameters, input, analysis);
      return boundedAddition(input, output, arithmetic);
    }
  }
}

/** Bounds are carried through the layers inside of a block. */
function carry(result: Bounded): Bounded {
  return result;
}

function boundedAddition(a: Bounded, b: Bounded, { unit }: Arithmetic): Bounded {
  const value = a.value.map((x, i) => x + b.value[i]!);
  const bound = value.map((sum, i) => {
    const carried = a.bound[i]! + b.bound[i]!;
    return carried + unit * (Math.abs(sum) + carried);
  });
  return { value, bound };
}

/** layerBackward with bounds; value and bound of `gradient` are both added to. */
export function boundedLayerBackward(
  layer: Layer,
  rows: number,
  parameters: Float64Array,
  input: Bounded,
  dOutput: Bounded,
  gradient: Bounded,
  arithmetic: Arithmetic,
): Bounded {
  if (layer.kind === 'residual') {
    return boundedResidualBackward(layer, rows, parameters, input, dOutput, gradient, arithmetic);
  }
  const value = layerBackward(layer, rows, parameters, input.value, dOutput.value, gradient.value);
  switch (layer.kind) {
    case 'correlation':
      addParameterBounds(layer, rows, input, dOutput, gradient.bound, arithmetic);
      return { value, bound: correlationBackwardBound(layer, rows, parameters, dOutput, arithmetic) };
    case 'activation':
      return { value, bound: activationBackwardBound(layer, input, dOutput, arithmetic) };
    case 'reshape':
      return { value, bound: dOutput.bound };
    case 'resample':
      return { value, bound: resampleBackwardBound(layer, rows, input, dOutput, arithmetic) };
  }
}

function boundedResidualBackward(
  { layers }: ResidualLayer,
  rows: number,
  parameters: Float64Array,
  input: Bounded,
  dOutput: Bounded,
  gradient: Bounded,
  arithmetic: Arithmetic,
): Bounded {
  const analysis = { arithmetic, carry };
  const trace = boundedNetworkForward(layers, rows, parameters, input, analysis);
  const dBranch = boundedNetworkBackward(layers, rows, parameters, trace, dOutput, gradient, analysis);
  return boundedAddition(dOutput, dBranch, arithmetic);
}

/**
 * The products that meet in one pixel of the big or of the small map, at most; dense has one tap and stride
 * 1.
 */
function productsPerPixel(layer: CorrelationLayer, map: 'big' | 'small'): number {
  const [kernelHeight, kernelWidth] = layer.kernel;
  if (map === 'small') return kernelHeight * kernelWidth * layer.big[2];
  const taps = Math.ceil(kernelHeight / layer.strides[0]) * Math.ceil(kernelWidth / layer.strides[1]);
  return taps * layer.small[2];
}

/**
 * |W|⊗E(in) + γ_{m+2}·(|W|⊗(|in| + E(in)) + |bias|) with m products, each of which may underflow.
 * A product is rounded once and then passes at most m additions (m − 1, and the bias): one rounding is to
 * spare.
 */
function correlationForwardBound(
  layer: CorrelationLayer,
  rows: number,
  parameters: Float64Array,
  input: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  const map = layer.type === 'conv2dTranspose' ? 'big' : 'small';
  const products = productsPerPixel(layer, map);
  const bound = correlateBound(layer, map, rows, parameters, input, products, arithmetic);
  const relative = gamma(arithmetic, products + 2);
  for (let i = 0; i < bound.length; i++) {
    bound[i]! += relative * Math.abs(parameters[layer.bias.offset + (i % layer.bias.size)]!);
  }
  return bound;
}

function correlationBackwardBound(
  layer: CorrelationLayer,
  rows: number,
  parameters: Float64Array,
  dOutput: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  const map = layer.type === 'conv2dTranspose' ? 'small' : 'big';
  return correlateBound(layer, map, rows, parameters, dOutput, productsPerPixel(layer, map), arithmetic);
}

function correlateBound(
  layer: CorrelationLayer,
  map: 'big' | 'small',
  rows: number,
  parameters: Float64Array,
  from: Bounded,
  products: number,
  arithmetic: Arithmetic,
): Float64Array {
  const relative = gamma(arithmetic, products + 2);
  const reach = largest(from).map((magnitude, i) => from.bound[i]! + relative * magnitude);
  const magnitudes = new Float64Array(parameters.length);
  for (let w = layer.weights.offset; w < layer.weights.offset + layer.weights.size; w++) {
    magnitudes[w] = Math.abs(parameters[w]!);
  }
  const bound = new Float64Array(rows * floatsIn(layer[map])).fill(products * arithmetic.underflow);
  if (map === 'big') correlateToBig(layer, rows, magnitudes, reach, bound);
  else correlateToSmall(layer, rows, magnitudes, reach, bound);
  return bound;
}

/**
 * With A = |a| + E(a) and G = |g| + E(g), for each product |â·ĝ − a·g| ≤ E(a)·G + |a|·E(g), and γ·A·G for the
 * roundings. The sum runs over all rows and pixels in any order, hence in any cut into shards and any tree of
 * them.
 */
function addParameterBounds(
  layer: CorrelationLayer,
  rows: number,
  input: Bounded,
  dOutput: Bounded,
  bound: Float64Array,
  arithmetic: Arithmetic,
): void {
  const [big, small] = layer.type === 'conv2dTranspose' ? [dOutput, input] : [input, dOutput];
  const products = rows * layer.small[0] * layer.small[1];
  const relative = gamma(arithmetic, products + 2);
  const bigReach = largest(big).map((magnitude, i) => big.bound[i]! + relative * magnitude);
  correlateToWeights(layer, rows, bigReach, largest(small), bound);
  correlateToWeights(layer, rows, big.value.map(Math.abs), small.bound, bound);
  const { weights, bias } = layer;
  for (let i = 0; i < weights.size; i++) bound[weights.offset + i]! += products * arithmetic.underflow;

  const biasRelative = gamma(arithmetic, dOutput.value.length / bias.size + 2);
  for (let i = 0; i < dOutput.value.length; i++) {
    const error = dOutput.bound[i]!;
    bound[bias.offset + (i % bias.size)]! += error + biasRelative * (Math.abs(dOutput.value[i]!) + error);
  }
}

function activationForwardBound(
  { activation, settings = {} }: ActivationLayer,
  input: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  const { valueBound } = referenceActivations[activation];
  return input.value.map((_, i) => valueBound(numberAt(input, i), arithmetic, settings));
}

function activationBackwardBound(
  { activation, settings = {} }: ActivationLayer,
  input: Bounded,
  dOutput: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  const { gradientBound } = referenceActivations[activation];
  return dOutput.value.map((_, i) =>
    gradientBound(numberAt(input, i), numberAt(dOutput, i), arithmetic, settings),
  );
}

export interface BoundedTrace {
  readonly inputs: readonly Bounded[];
  readonly output: Bounded;
}

/** networkForward with bounds. */
export function boundedNetworkForward(
  layers: readonly Layer[],
  rows: number,
  parameters: Float64Array,
  input: Bounded,
  analysis: Analysis,
): BoundedTrace {
  const inputs: Bounded[] = [];
  let current = input;
  for (const layer of layers) {
    inputs.push(current);
    current = analysis.carry(boundedLayerForward(layer, rows, parameters, current, analysis.arithmetic));
  }
  return { inputs, output: current };
}

/** networkBackward with bounds; `gradient` is left for the caller to carry. */
export function boundedNetworkBackward(
  layers: readonly Layer[],
  rows: number,
  parameters: Float64Array,
  trace: BoundedTrace,
  dOutput: Bounded,
  gradient: Bounded,
  analysis: Analysis,
): Bounded {
  let current = dOutput;
  for (let l = layers.length - 1; l >= 0; l--) {
    const input = trace.inputs[l]!;
    const { arithmetic, carry } = analysis;
    current = carry(boundedLayerBackward(layers[l]!, rows, parameters, input, current, gradient, arithmetic));
  }
  return current;
}
