// network.ts with a bound on every element: how far an implementation may be from it that rounds every operation
// and sums in any order. The bounds are rigorous, not only first-order, up to the float64 roundings of their own.

import type { ActivationLayer, CorrelationLayer, Layer } from '#src/model/model.js';
import { type BoundedNumber, boundedTanh, numberAt } from './boundedNumber.js';
import { correlateToBig, correlateToSmall, correlateToWeights } from './correlation.js';
import { floatsIn, layerBackward, layerForward } from './network.js';
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
  }
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
  const value = layerBackward(layer, rows, parameters, input.value, dOutput.value, gradient.value);
  switch (layer.kind) {
    case 'correlation':
      addParameterBounds(layer, rows, input, dOutput, gradient.bound, arithmetic);
      return { value, bound: correlationBackwardBound(layer, rows, parameters, dOutput, arithmetic) };
    case 'activation':
      return { value, bound: activationBackwardBound(layer, input, dOutput, arithmetic) };
    case 'reshape':
      return { value, bound: dOutput.bound };
  }
}

/** The products that meet in one pixel of the big or of the small map, at most; dense has one tap and stride 1. */
function productsPerPixel(layer: CorrelationLayer, map: 'big' | 'small'): number {
  const [kernelHeight, kernelWidth] = layer.kernel;
  if (map === 'small') return kernelHeight * kernelWidth * layer.big[2];
  const taps = Math.ceil(kernelHeight / layer.strides[0]) * Math.ceil(kernelWidth / layer.strides[1]);
  return taps * layer.small[2];
}

/**
 * |W|⊗E(in) + γ_{m+2}·(|W|⊗(|in| + E(in)) + |bias|) with m products, each of which may underflow.
 * A product is rounded once and then passes at most m additions (m − 1, and the bias): one rounding is to spare.
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
 * roundings. The sum runs over all rows and pixels in any order, hence in any cut into shards and any tree of them.
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
  layer: ActivationLayer,
  input: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  switch (layer.activation) {
    case 'relu':
      // Exact on what it reads, x ± error: zero stays zero where both ends are negative.
      return input.value.map((x, i) => {
        const error = input.bound[i]!;
        const y = Math.max(x, 0);
        return Math.max(Math.max(x + error, 0) - y, y - Math.max(x - error, 0));
      });
    case 'tanh':
      return input.value.map((_, i) => boundedTanh(numberAt(input, i), arithmetic).bound);
  }
}

function activationBackwardBound(
  layer: ActivationLayer,
  input: Bounded,
  dOutput: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  switch (layer.activation) {
    case 'relu':
      // At the kink either side may be taken: the whole gradient counts.
      return dOutput.value.map((d, i) => {
        const [x, error] = [input.value[i]!, input.bound[i]!];
        if (error > 0 && Math.abs(x) <= error) return Math.abs(d) + dOutput.bound[i]!;
        return x > 0 ? dOutput.bound[i]! : 0;
      });
    case 'tanh':
      return dOutput.value.map((_, i) =>
        tanhBackwardBound(numberAt(input, i), numberAt(dOutput, i), arithmetic),
      );
  }
}

/**
 * d·(1 − y²) from the computed y, as 1 − y·y (errors u·y² and u) or as (1 − y)·(1 + y): three roundings of at most
 * 1 + y² cover both; the product is one more.
 */
function tanhBackwardBound(x: BoundedNumber, d: BoundedNumber, arithmetic: Arithmetic): number {
  const { value: y, bound: yError } = boundedTanh(x, arithmetic);
  const slope = 1 - y * y;
  const slopeError =
    (2 * Math.abs(y) + yError) * yError + gamma(arithmetic, 3) * (1 + (Math.abs(y) + yError) ** 2);
  const dLargest = Math.abs(d.value) + d.bound;
  const rounding = arithmetic.unit * dLargest * (slope + slopeError) + arithmetic.underflow;
  return d.bound * slope + dLargest * slopeError + rounding;
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
