// The three loops behind conv2d, conv2dTranspose and dense, straight from the definition of a strided
// correlation.

import type { CorrelationLayer } from '#src/model/model.js';

/** Offsets of one pair of pixels that a tap of the kernel connects, in floats: channels follow from there. */
export type TapVisitor = (big: number, small: number, weights: number) => void;

/**
 * Visits every (row, small pixel, tap) whose big pixel Y = sy·strideH + ky − padTop lies inside the map.
 * `weights` is the tap's [bigChannels, smallChannels] block in the flat parameter buffer.
 */
export function forEachTap(layer: CorrelationLayer, rows: number, visit: TapVisitor): void {
  const [bigHeight, bigWidth, bigChannels] = layer.big;
  const [smallHeight, smallWidth, smallChannels] = layer.small;
  const [kernelHeight, kernelWidth] = layer.kernel;
  for (let row = 0; row < rows; row++) {
    for (let sy = 0; sy < smallHeight; sy++) {
      for (let sx = 0; sx < smallWidth; sx++) {
        const small = ((row * smallHeight + sy) * smallWidth + sx) * smallChannels;
        for (let ky = 0; ky < kernelHeight; ky++) {
          const y = sy * layer.strides[0] + ky - layer.padding[0];
          if (y < 0 || y >= bigHeight) continue;
          for (let kx = 0; kx < kernelWidth; kx++) {
            const x = sx * layer.strides[1] + kx - layer.padding[1];
            if (x < 0 || x >= bigWidth) continue;
            const big = ((row * bigHeight + y) * bigWidth + x) * bigChannels;
            const tap = ky * kernelWidth + kx;
            visit(big, small, layer.weights.offset + tap * bigChannels * smallChannels);
          }
        }
      }
    }
  }
}

/**
 * small [rows, h, w, Cs] += W ⊗ big [rows, H, W, Cb]: conv2d forward, conv2dTranspose's gradient of the
 * input.
 */
export function correlateToSmall(
  layer: CorrelationLayer,
  rows: number,
  parameters: Float64Array,
  big: Float64Array,
  small: Float64Array,
): void {
  const [bigChannels, smallChannels] = [layer.big[2], layer.small[2]];
  forEachTap(layer, rows, (b, s, w) => {
    for (let cb = 0; cb < bigChannels; cb++) {
      addMultiple(small, s, big[b + cb]!, parameters, w + cb * smallChannels, smallChannels);
    }
  });
}

/**
 * big [rows, H, W, Cb] += Wᵀ ⊗ small [rows, h, w, Cs]: conv2dTranspose forward, conv2d's gradient of the
 * input.
 */
export function correlateToBig(
  layer: CorrelationLayer,
  rows: number,
  parameters: Float64Array,
  small: Float64Array,
  big: Float64Array,
): void {
  const [bigChannels, smallChannels] = [layer.big[2], layer.small[2]];
  forEachTap(layer, rows, (b, s, w) => {
    for (let cb = 0; cb < bigChannels; cb++) {
      big[b + cb]! += innerProduct(small, s, parameters, w + cb * smallChannels, smallChannels);
    }
  });
}

/** weights [kh, kw, Cb, Cs] of the flat `gradient` += big ⊗ small: one of the two is the other's gradient. */
export function correlateToWeights(
  layer: CorrelationLayer,
  rows: number,
  big: Float64Array,
  small: Float64Array,
  gradient: Float64Array,
): void {
  const [bigChannels, smallChannels] = [layer.big[2], layer.small[2]];
  forEachTap(layer, rows, (b, s, w) => {
    for (let cb = 0; cb < bigChannels; cb++) {
      addMultiple(gradient, w + cb * smallChannels, big[b + cb]!, small, s, smallChannels);
    }
  });
}

/** sum[t + i] += factor · a[s + i]. */
function addMultiple(
  sum: Float64Array,
  t: number,
  factor: number,
  a: Float64Array,
  s: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) sum[t + i]! += factor * a[s + i]!;
}

/** Σ_i a[s + i] · b[t + i]. */
function innerProduct(a: Float64Array, s: number, b: Float64Array, t: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[s + i]! * b[t + i]!;
  return sum;
}
