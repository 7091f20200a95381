// What gradients are compared with, and which of them tfjs-core itself gets wrong.

import type { GradientCase, Tf } from './gradientCases.js';
import { type GradientResult, runGradient, valuesOf } from './gradientRun.js';

/** Gradients of TensorFlow.js that the backend `wasm` cannot have. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  ComplexAbs: "the backend 'wasm' has no complex tensors",
};

/** Cases in which tfjs-core's gradient function itself, and so the backend `cpu`, refuses; ours does not. */
export const REFUSALS: readonly RegExp[] = [
  // It does not sum over the axes along which an operand was broadcast.
  /^(maximum|minimum|squareddifference) of a (row|column|scalar)$/,
  // It transposes a gradient that is in the right order already, unless the axis is the last one.
  /^cumsum, exclusive and reversed$/,
  // It takes no negative axis.
  /^prod over the last axis, kept$/,
  /^depthwiseConv2d, dilated/,
];

/**
 * Linear in x, and wrong on the backend `cpu`: mirrored borders, averages over windows that reach over the
 * border, and resampling of several images. The forward passes are right there.
 */
const LINEAR = /^(MirrorPad|AvgPool|AvgPool3D|ResizeBilinear|ResizeNearestNeighbor)$/;

/** Value and gradients as they should be; the backend `cpu` must be set. */
export function reference(tf: Tf, gradientCase: GradientCase): GradientResult {
  if (LINEAR.test(gradientCase.kernel)) return byUnitVectors(tf, gradientCase);
  if (REFUSALS.some((refusal) => refusal.test(gradientCase.name))) return byDifferences(tf, gradientCase);
  return runGradient(tf, gradientCase);
}

/** A power of two: adding it to a number of the cases loses nothing that matters. */
const STEP = 2 ** -8;

/**
 * Central differences, which are exact but for rounding where f is at most quadratic in each number, as it is
 * in every refused case; the backend sums them in float32.
 */
export function byDifferences(tf: Tf, gradientCase: GradientCase): GradientResult {
  const inputs = gradientCase.inputs.map((spec, i) => Float32Array.from(valuesOf(spec, i + 1)));
  const value = () =>
    tf.tidy(() => {
      const tensors = inputs.map((values, i) =>
        tf.tensor(values.slice(), [...gradientCase.inputs[i]!.shape]),
      );
      const y = gradientCase.run(tf, tensors, []);
      return { shape: y.shape, data: Float32Array.from(y.dataSync()) };
    });
  const base = value();
  const dy = valuesOf({ shape: base.shape, low: 0.5, high: 1.5, kind: 'real' }, 1001);
  const gradients = inputs.map((values) =>
    Float32Array.from(values, (x, i) => {
      const at = (moved: number) => {
        values[i] = moved;
        return value().data;
      };
      const [above, below] = [at(x + STEP), at(x - STEP)];
      values[i] = x;
      const difference = dy.reduce((sum, weight, k) => sum + weight * (above[k]! - below[k]!), 0);
      return difference / (Math.fround(x + STEP) - Math.fround(x - STEP));
    }),
  );
  return { value: base.data, gradients };
}

/** Rounding of each of the two values, for the size of a step. */
export const DIFFERENCE_NOISE = 1 / STEP;

/** For a linear f: ∂(dy · f(x)) / ∂x_i = dy · f(e_i). */
function byUnitVectors(tf: Tf, gradientCase: GradientCase): GradientResult {
  const { value } = forward(tf, gradientCase);
  const [spec] = gradientCase.inputs;
  const size = spec!.shape.reduce((product, extent) => product * extent, 1);
  const dy = valuesOf({ shape: value.shape, low: 0.5, high: 1.5, kind: 'real' }, 1001);
  const gradient = Float32Array.from({ length: size }, (_, i) => {
    const image = tf.tidy(() => {
      const unit = new Float32Array(size);
      unit[i] = 1;
      return gradientCase.run(tf, [tf.tensor(unit, [...spec!.shape])], []).dataSync();
    });
    return dy.reduce((sum, weight, k) => sum + weight * image[k]!, 0);
  });
  return { value: value.data, gradients: [gradient] };
}

function forward(tf: Tf, gradientCase: GradientCase): { value: { shape: number[]; data: Float32Array } } {
  return tf.tidy(() => {
    const [spec] = gradientCase.inputs;
    const x = tf.tensor(valuesOf(spec!, 1), [...spec!.shape]);
    const y = gradientCase.run(tf, [x], []);
    return { value: { shape: y.shape, data: Float32Array.from(y.dataSync()) } };
  });
}
