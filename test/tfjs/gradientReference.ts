// What gradients are compared with, and which of them tfjs-core itself gets wrong.

import type { GradientCase, Tf } from './gradientCases.js';
import { type GradientResult, runGradient, valuesOf } from './gradientRun.js';

/** Gradients of TensorFlow.js that no kernel of any backend can mend. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  ComplexAbs: "the backend 'wasm' has no complex tensors",
  MirrorPad: "tfjs-core's gradient drops what reaches the output through the mirrored border",
  Prod: "tfjs-core's gradient calls a method of tensors (reshape) that only the package @tensorflow/tfjs adds",
};

/** Cases in which tfjs-core's gradient function itself, and so every backend, refuses. */
export const REFUSALS: readonly RegExp[] = [
  // It does not sum over the axes along which an operand was broadcast.
  /^(maximum|minimum|squareddifference) of a (row|column|scalar)$/,
  // It transposes a gradient that is in the right order already, unless the axis is the last one.
  /^cumsum, exclusive and reversed$/,
];

/**
 * Linear in x, and wrong on TensorFlow.js's cpu backend: averages over windows that reach over the border, and
 * resampling of several images. Their forward passes are right there. And mirrored borders.
 */
const LINEAR = /^(MirrorPad|AvgPool|AvgPool3D|ResizeBilinear|ResizeNearestNeighbor)$/;

/** Value and gradients as they should be; the backend `cpu` must be set. */
export function reference(tf: Tf, gradientCase: GradientCase): GradientResult {
  return LINEAR.test(gradientCase.kernel) ? byUnitVectors(tf, gradientCase) : runGradient(tf, gradientCase);
}

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
