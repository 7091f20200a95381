// Pooling and upsampling in float64, straight from the definition of a window, and with bounds.

import type { ResampleLayer } from '#src/model/model.js';
import { type Arithmetic, type Bounded, gamma } from './rounding.js';

/**
 * Visits each row's windows in order: the small element, and the big elements of its window, in row-major
 * order.
 */
function forEachWindow(
  { type, input, output, size, strides, padding }: ResampleLayer,
  rows: number,
  visit: (small: number, big: readonly number[]) => void,
): void {
  const [big, small] = type === 'upsample' ? [output, input] : [input, output];
  const channels = small[2];
  for (let row = 0; row < rows; row++) {
    for (let y = 0; y < small[0]; y++) {
      for (let x = 0; x < small[1]; x++) {
        for (let c = 0; c < channels; c++) {
          const window: number[] = [];
          for (let ty = 0; ty < size[0]; ty++) {
            for (let tx = 0; tx < size[1]; tx++) {
              const [by, bx] = [y * strides[0] + ty - padding[0], x * strides[1] + tx - padding[1]];
              if (by < 0 || by >= big[0] || bx < 0 || bx >= big[1]) continue;
              window.push(((row * big[0] + by) * big[1] + bx) * channels + c);
            }
          }
          visit(((row * small[0] + y) * small[1] + x) * channels + c, window);
        }
      }
    }
  }
}

/** Position of the first of the largest. */
function firstLargest(values: Float64Array, window: readonly number[]): number {
  return window.reduce((best, at) => (values[at]! > values[best]! ? at : best));
}

function sizes({ input, output }: ResampleLayer, rows: number): [input: number, output: number] {
  const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, rows);
  return [size(input), size(output)];
}

export function resampleForward(layer: ResampleLayer, rows: number, input: Float64Array): Float64Array {
  const output = new Float64Array(sizes(layer, rows)[1]);
  forEachWindow(layer, rows, (small, window) => {
    if (layer.type === 'upsample') for (const at of window) output[at] = input[small]!;
    else if (layer.type === 'maxPool') output[small] = input[firstLargest(input, window)]!;
    else output[small] = window.reduce((sum, at) => sum + input[at]!, 0) / window.length;
  });
  return output;
}

/** maxPool: to the first of the largest in a window, in row-major order. */
export function resampleBackward(
  layer: ResampleLayer,
  rows: number,
  input: Float64Array,
  dOutput: Float64Array,
): Float64Array {
  const dInput = new Float64Array(sizes(layer, rows)[0]);
  forEachWindow(layer, rows, (small, window) => {
    if (layer.type === 'upsample') for (const at of window) dInput[small]! += dOutput[at]!;
    else if (layer.type === 'maxPool') dInput[firstLargest(input, window)]! += dOutput[small]!;
    else for (const at of window) dInput[at]! += dOutput[small]! / window.length;
  });
  return dInput;
}

/**
 * A maximum errs by no more than the worst of its window; a mean of m is summed in any order and scaled in up
 * to four steps.
 */
export function resampleForwardBound(
  layer: ResampleLayer,
  rows: number,
  { value, bound }: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  const result = new Float64Array(sizes(layer, rows)[1]);
  forEachWindow(layer, rows, (small, window) => {
    const errors = window.map((at) => bound[at]!);
    if (layer.type === 'upsample') for (const at of window) result[at] = bound[small]!;
    else if (layer.type === 'maxPool') result[small] = Math.max(...errors);
    else {
      const relative = gamma(arithmetic, window.length + 4);
      const sum = window.reduce(
        (total, at) => total + bound[at]! + relative * (Math.abs(value[at]!) + bound[at]!),
        0,
      );
      result[small] = sum / window.length + 2 * arithmetic.underflow;
    }
  });
  return result;
}

/**
 * Where the largest of a window is in doubt, each that may be it gets the gradient or nothing. An element is
 * in up to `overlaps` windows, whose gradients are summed in any order; a part of a mean is scaled in up to
 * four steps.
 */
export function resampleBackwardBound(
  layer: ResampleLayer,
  rows: number,
  input: Bounded,
  dOutput: Bounded,
  arithmetic: Arithmetic,
): Float64Array {
  const { type, size, strides } = layer;
  const result = new Float64Array(sizes(layer, rows)[0]);
  const overlaps = Math.ceil(size[0] / strides[0]) * Math.ceil(size[1] / strides[1]);
  const reach = (at: number) => Math.abs(dOutput.value[at]!) + dOutput.bound[at]!;
  const error = (at: number, roundings: number) =>
    dOutput.bound[at]! + gamma(arithmetic, roundings) * reach(at) + 2 * arithmetic.underflow;
  forEachWindow(layer, rows, (small, window) => {
    if (type === 'upsample') {
      for (const at of window) result[small]! += error(at, window.length + 4);
    } else if (type === 'avgPool') {
      for (const at of window) result[at]! += error(small, overlaps + 4) / window.length;
    } else {
      const largest = candidates(input, window);
      for (const at of largest) {
        result[at]! += error(small, overlaps) + (largest.length > 1 ? reach(small) : 0);
      }
    }
  });
  return result;
}

/** Those that may be the first of the largest. Of exact numbers there is one. */
function candidates({ value, bound }: Bounded, window: readonly number[]): readonly number[] {
  const least = Math.max(...window.map((at) => value[at]! - bound[at]!));
  const able = window.filter((at) => value[at]! + bound[at]! >= least);
  return able.every((at) => bound[at] === 0) ? [firstLargest(value, able)] : able;
}
