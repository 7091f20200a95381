// Every layer of a model, forward and backward, in float64 and plain loops: the oracle of the kernels' tests.
// A tensor is [rows, ...layer.input]: rows counts examples in the encoder and examples × samples in the
// decoder.

import type { ActivationLayer, CorrelationLayer, Layer, ResidualLayer } from '#src/model/model.js';
import { referenceActivations } from './activations.js';
import { correlateToBig, correlateToSmall, correlateToWeights } from './correlation.js';
import { resampleBackward, resampleForward } from './resample.js';

/** Number of floats of one row. */
export function floatsIn(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** input [rows, ...layer.input] → output [rows, ...layer.output]. */
export function layerForward(
  layer: Layer,
  rows: number,
  parameters: Float64Array,
  input: Float64Array,
): Float64Array {
  switch (layer.kind) {
    case 'correlation':
      return correlationForward(layer, rows, parameters, input);
    case 'activation':
      return activationForward(layer, input);
    case 'reshape':
      return Float64Array.from(input);
    case 'resample':
      return resampleForward(layer, rows, input);
    case 'residual': {
      const { output } = networkForward(layer.layers, rows, parameters, input);
      return output.map((value, i) => input[i]! + value);
    }
  }
}

/**
 * dOutput [rows, ...layer.output] → dInput [rows, ...layer.input].
 * `input` is what the layer read on its way forward; `gradient`, flat over all parameters, is added to.
 */
export function layerBackward(
  layer: Layer,
  rows: number,
  parameters: Float64Array,
  input: Float64Array,
  dOutput: Float64Array,
  gradient: Float64Array,
): Float64Array {
  switch (layer.kind) {
    case 'correlation':
      return correlationBackward(layer, rows, parameters, input, dOutput, gradient);
    case 'activation':
      return activationBackward(layer, input, dOutput);
    case 'reshape':
      return Float64Array.from(dOutput);
    case 'resample':
      return resampleBackward(layer, rows, input, dOutput);
    case 'residual':
      return residualBackward(layer, rows, parameters, input, dOutput, gradient);
  }
}

function residualBackward(
  { layers }: ResidualLayer,
  rows: number,
  parameters: Float64Array,
  input: Float64Array,
  dOutput: Float64Array,
  gradient: Float64Array,
): Float64Array {
  const trace = networkForward(layers, rows, parameters, input);
  const dBranch = networkBackward(layers, rows, parameters, trace, dOutput, gradient);
  return dBranch.map((d, i) => dOutput[i]! + d);
}

function correlationForward(
  layer: CorrelationLayer,
  rows: number,
  parameters: Float64Array,
  input: Float64Array,
): Float64Array {
  const output = new Float64Array(rows * floatsIn(layer.output));
  for (let i = 0; i < output.length; i++) {
    output[i] = parameters[layer.bias.offset + (i % layer.bias.size)]!;
  }
  if (layer.type === 'conv2dTranspose') correlateToBig(layer, rows, parameters, input, output);
  else correlateToSmall(layer, rows, parameters, input, output);
  return output;
}

function correlationBackward(
  layer: CorrelationLayer,
  rows: number,
  parameters: Float64Array,
  input: Float64Array,
  dOutput: Float64Array,
  gradient: Float64Array,
): Float64Array {
  const dInput = new Float64Array(rows * floatsIn(layer.input));
  if (layer.type === 'conv2dTranspose') {
    correlateToSmall(layer, rows, parameters, dOutput, dInput);
    correlateToWeights(layer, rows, dOutput, input, gradient);
  } else {
    correlateToBig(layer, rows, parameters, dOutput, dInput);
    correlateToWeights(layer, rows, input, dOutput, gradient);
  }
  for (let i = 0; i < dOutput.length; i++) {
    gradient[layer.bias.offset + (i % layer.bias.size)]! += dOutput[i]!;
  }
  return dInput;
}

function activationForward(
  { activation, settings = {} }: ActivationLayer,
  input: Float64Array,
): Float64Array {
  const { value } = referenceActivations[activation];
  return input.map((x) => value(x, settings));
}

function activationBackward(
  { activation, settings = {} }: ActivationLayer,
  input: Float64Array,
  dOutput: Float64Array,
): Float64Array {
  const { slope } = referenceActivations[activation];
  return dOutput.map((d, i) => d * slope(input[i]!, settings));
}

/** What each layer read, and what the last one wrote. */
export interface Trace {
  readonly inputs: readonly Float64Array[];
  readonly output: Float64Array;
}

/** Runs the layers one after the other and keeps what each of them read. */
export function networkForward(
  layers: readonly Layer[],
  rows: number,
  parameters: Float64Array,
  input: Float64Array,
): Trace {
  const inputs: Float64Array[] = [];
  let current = input;
  for (const layer of layers) {
    inputs.push(current);
    current = layerForward(layer, rows, parameters, current);
  }
  return { inputs, output: current };
}

/** The layers in reverse; returns the gradient of the network's input and adds to `gradient`. */
export function networkBackward(
  layers: readonly Layer[],
  rows: number,
  parameters: Float64Array,
  trace: Trace,
  dOutput: Float64Array,
  gradient: Float64Array,
): Float64Array {
  let current = dOutput;
  for (let l = layers.length - 1; l >= 0; l--) {
    current = layerBackward(layers[l]!, rows, parameters, trace.inputs[l]!, current, gradient);
  }
  return current;
}
