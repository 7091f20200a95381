import type { Tensor } from '@tensorflow/tfjs-core';
import type { Layer, ParameterLayout, Shape } from '../../../model/model.js';
import type { TfjsRuntime } from '../runtime.js';

/**
 * Input and all parameters (in the order of the layout) to output.
 * @param bounds examples at which shards begin, and the last one ends.
 */
export type Step = (input: Tensor, parameters: readonly Tensor[], bounds: readonly number[]) => Tensor;

/** What the steps of a network share. */
export interface NetworkContext {
  readonly runtime: TfjsRuntime;
  readonly parameters: ParameterLayout;
  /** The number of rows of the batch: examples, or draws of z. */
  readonly rows: number;
  /** Rows an example: K in the decoder. */
  readonly rowsPerExample: number;
  /**
   * Makes one step of layers that are inside of another; returns it and whether its output's gradient is
   * needed.
   */
  connect(
    layers: readonly Layer[],
    context: NetworkContext,
    needed: boolean,
  ): { readonly step: Step; readonly needed: boolean };
}

export interface PlannedStep {
  readonly step: Step;
  /** How many layers it does: this one, and perhaps the next. */
  readonly layers: number;
  /** Whether anybody asks for the gradient of its output. */
  readonly needed: boolean;
}

/**
 * What TensorFlow.js's backends do with one kind of layer. tfjs-core registers no gradients of its own
 * operations (they come with the package tfjs), so each step has a gradient of its own.
 * @param needed whether anybody asks for the gradient of its input.
 */
export type LayerKind<L extends Layer> = (
  layer: L,
  context: NetworkContext,
  needed: boolean,
  next: Layer | undefined,
) => PlannedStep;

/**
 * Vectors are matrices of a batch of one, [1, rows, width], which is what matMul's kernels take without a
 * reshape.
 */
export function batchShape(rows: number, shape: Shape): number[] {
  return shape.length === 1 ? [1, rows, shape[0]!] : [rows, ...shape];
}

/** The shape of a parameter's tensor: a dense layer's weights are a batch of one, too. */
export function parameterShape(shape: Shape): number[] {
  return shape.length === 2 ? [1, ...shape] : [...shape];
}
