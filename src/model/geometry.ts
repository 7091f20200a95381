// Where the taps of a strided correlation fall, in one direction (rows or columns).

/** As Keras calls it. */
export type PaddingName = 'valid' | 'same';

export interface Axis {
  /** Extent of the big and of the small map. */
  readonly big: number;
  readonly small: number;
  /** Zeros before the big map's first position. */
  readonly padBefore: number;
}

/**
 * conv2d along one axis, padded like TensorFlow
 * (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2). `valid` yields small ≤ 0 where the
 * kernel is larger than the map: the caller refuses it.
 */
export function convolutionAxis(size: number, kernel: number, stride: number, padding: PaddingName): Axis {
  if (padding === 'valid') {
    return { big: size, small: Math.floor((size - kernel) / stride) + 1, padBefore: 0 };
  }
  const small = Math.ceil(size / stride);
  return { big: size, small, padBefore: padBefore(size, small, kernel, stride) };
}

/**
 * conv2dTranspose along one axis: the convolution's adjoint, with Keras's choice among the fitting outputs.
 */
export function transposedConvolutionAxis(
  size: number,
  kernel: number,
  stride: number,
  padding: PaddingName,
): Axis {
  if (padding === 'valid') {
    return { big: size * stride + Math.max(kernel - stride, 0), small: size, padBefore: 0 };
  }
  const big = size * stride;
  return { big, small: size, padBefore: padBefore(big, size, kernel, stride) };
}

/** Half of the padding that `same` needs, rounded down: an odd one goes after the map. */
function padBefore(big: number, small: number, kernel: number, stride: number): number {
  return Math.floor(Math.max((small - 1) * stride + kernel - big, 0) / 2);
}
