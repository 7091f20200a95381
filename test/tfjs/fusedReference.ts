// Bias and activation after a product, in float64 with bounds, as TensorFlow.js defines its fused operations.

import { elementaryError, float32 } from '../reference/rounding.js';
import { type Sums, sizeOf } from './boundedProduct.js';

export const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export interface Broadcast {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

export interface Fused {
  readonly bias: Broadcast | undefined;
  readonly activation: Activation;
  readonly slope: number;
  readonly slopes: Broadcast | undefined;
}

/** Element of an operand that is broadcast to a tensor of `shape`. */
export function broadcastValue(operand: Broadcast, shape: readonly number[], index: number): number {
  let offset = 0;
  let stride = 1;
  let rest = index;
  for (let axis = 1; axis <= operand.shape.length; axis++) {
    const extent = operand.shape.at(-axis)!;
    const size = shape.at(-axis) ?? 1;
    if (extent > 1) offset += (rest % size) * stride;
    rest = Math.floor(rest / size);
    stride *= extent;
  }
  return operand.values[offset]!;
}

/** activation(sums + bias) and its bounds. */
export function fusedReference(sums: Sums, shape: readonly number[], fused: Fused) {
  const { bias, activation, slope, slopes } = fused;
  const unit = float32.unit;
  const sumOf = (i: number) => sums.value[i]! + (bias ? broadcastValue(bias, shape, i) : 0);
  // One more rounding of the sum.
  const sumBound = (i: number) => {
    const bound = sums.bound(i);
    return bound + unit * (Math.abs(sumOf(i)) + bound);
  };
  const slopeOf = (i: number) => (slopes ? broadcastValue(slopes, shape, i) : slope);
  return {
    size: sizeOf(shape),
    value(i: number): number {
      const x = sumOf(i);
      switch (activation) {
        case 'linear':
          return x;
        case 'relu':
          return Math.max(x, 0);
        case 'relu6':
          return Math.min(Math.max(x, 0), 6);
        case 'elu':
          return x < 0 ? Math.expm1(x) : x;
        case 'sigmoid':
          return 1 / (1 + Math.exp(-x));
        default:
          return x < 0 ? x * slopeOf(i) : x;
      }
    },
    /** All activations but the last two have slopes up to 1, so they do not enlarge the sum's error. */
    bound(i: number): number {
      const bound = sumBound(i);
      const steepness =
        activation === 'leakyrelu' || activation === 'prelu' ? Math.max(1, Math.abs(slopeOf(i))) : 1;
      const own = activation === 'elu' || activation === 'sigmoid' ? elementaryError(float32) : 0;
      // The value's own roundings: an elementary function, and up to three operations around it.
      return bound * steepness + (own + 3 * unit) * (Math.abs(this.value(i)) + bound);
    },
  };
}
