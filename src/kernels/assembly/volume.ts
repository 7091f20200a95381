// Gradients of the convolution of volumes: x [batch, depth, height, width, inChannels], filter
// [depth, height, width, inChannels, outChannels], dy [batch, depth, height, width, outChannels].

import { multiplyAdd } from './arithmetic';
import { storeLanes, sumLanes } from './lanes';
import {
  BATCH,
  DILATION_DEPTH,
  DILATION_HEIGHT,
  DILATION_WIDTH,
  endTap,
  FILTER_DEPTH,
  FILTER_HEIGHT,
  FILTER_WIDTH,
  firstTap,
  IN_CHANNELS,
  IN_DEPTH,
  IN_HEIGHT,
  IN_WIDTH,
  OUT_CHANNELS,
  OUT_DEPTH,
  OUT_HEIGHT,
  OUT_WIDTH,
  PAD_DEPTH,
  PAD_HEIGHT,
  PAD_WIDTH,
  STRIDE_DEPTH,
  STRIDE_HEIGHT,
  STRIDE_WIDTH,
  word,
} from './window';

/** dx = Σ over outputs and taps of filter · dy. */
export function volumeInputGradient(geometry: usize, dy: usize, filter: usize, dx: usize): void {
  const pixels = word(geometry, IN_DEPTH) * word(geometry, IN_HEIGHT) * word(geometry, IN_WIDTH);
  const floats = word(geometry, BATCH) * pixels * word(geometry, IN_CHANNELS);
  memory.fill(dx, 0, (<usize>floats) << 2);
  walk(true, geometry, dx, filter, dy);
}

/** dFilter = Σ over outputs of x · dy. */
export function volumeFilterGradient(geometry: usize, x: usize, dy: usize, dFilter: usize): void {
  const taps = word(geometry, FILTER_DEPTH) * word(geometry, FILTER_HEIGHT) * word(geometry, FILTER_WIDTH);
  const floats = taps * word(geometry, IN_CHANNELS) * word(geometry, OUT_CHANNELS);
  memory.fill(dFilter, 0, (<usize>floats) << 2);
  walk(false, geometry, x, dFilter, dy);
}

/** Every output pixel, and every tap of it that lies in the input. */
// @ts-ignore: decorator
@inline
function walk(toInput: bool, geometry: usize, x: usize, filter: usize, dy: usize): void {
  const inPitch = (<usize>word(geometry, IN_CHANNELS)) << 2;
  const outPitch = (<usize>word(geometry, OUT_CHANNELS)) << 2;
  const inDepth = word(geometry, IN_DEPTH);
  const inHeight = word(geometry, IN_HEIGHT);
  const inWidth = word(geometry, IN_WIDTH);
  for (let n = 0; n < word(geometry, BATCH); n++) {
    for (let od = 0; od < word(geometry, OUT_DEPTH); od++) {
      const d = od * word(geometry, STRIDE_DEPTH) - word(geometry, PAD_DEPTH);
      for (let oh = 0; oh < word(geometry, OUT_HEIGHT); oh++) {
        const h = oh * word(geometry, STRIDE_HEIGHT) - word(geometry, PAD_HEIGHT);
        for (let ow = 0; ow < word(geometry, OUT_WIDTH); ow++) {
          const w = ow * word(geometry, STRIDE_WIDTH) - word(geometry, PAD_WIDTH);
          const corner = x + <usize>((d * inHeight + h) * inWidth + w) * inPitch;
          visitTaps(toInput, geometry, d, h, w, corner, filter, dy);
          dy += outPitch;
        }
      }
    }
    x += <usize>(inDepth * inHeight * inWidth) * inPitch;
  }
}

// @ts-ignore: decorator
@inline
function visitTaps(
  toInput: bool,
  geometry: usize,
  d: i32,
  h: i32,
  w: i32,
  corner: usize,
  filter: usize,
  dy: usize,
): void {
  const dd = word(geometry, DILATION_DEPTH);
  const dh = word(geometry, DILATION_HEIGHT);
  const dw = word(geometry, DILATION_WIDTH);
  const inChannels = word(geometry, IN_CHANNELS);
  const outChannels = word(geometry, OUT_CHANNELS);
  const filterHeight = word(geometry, FILTER_HEIGHT);
  const filterWidth = word(geometry, FILTER_WIDTH);
  const tdEnd = endTap(d, dd, word(geometry, FILTER_DEPTH), word(geometry, IN_DEPTH));
  const thEnd = endTap(h, dh, filterHeight, word(geometry, IN_HEIGHT));
  const twEnd = endTap(w, dw, filterWidth, word(geometry, IN_WIDTH));
  for (let td = firstTap(d, dd); td < tdEnd; td++) {
    for (let th = firstTap(h, dh); th < thEnd; th++) {
      const line = (td * dd * word(geometry, IN_HEIGHT) + th * dh) * word(geometry, IN_WIDTH);
      for (let tw = firstTap(w, dw); tw < twEnd; tw++) {
        const pixel = corner + ((<usize>((line + tw * dw) * inChannels)) << 2);
        const tap = (td * filterHeight + th) * filterWidth + tw;
        const weights = filter + ((<usize>(tap * inChannels * outChannels)) << 2);
        if (toInput) addProducts(weights, dy, inChannels, outChannels, pixel);
        else addOuterProduct(pixel, dy, inChannels, outChannels, weights);
      }
    }
  }
}

/** target[i] += Σ_o weights[i][o] · dy[o]. */
function addProducts(weights: usize, dy: usize, inChannels: i32, outChannels: i32, target: usize): void {
  for (let i = 0; i < inChannels; i++) {
    let sum = f32x4.splat(0);
    let o = 0;
    for (; o + 4 <= outChannels; o += 4) {
      const offset = (<usize>o) << 2;
      sum = multiplyAdd(v128.load(weights + offset), v128.load(dy + offset), sum);
    }
    let total = sumLanes(sum);
    for (; o < outChannels; o++) {
      const offset = (<usize>o) << 2;
      total += load<f32>(weights + offset) * load<f32>(dy + offset);
    }
    store<f32>(target, load<f32>(target) + total);
    target += 4;
    weights += (<usize>outChannels) << 2;
  }
}

/** gradient[i][o] += x[i] · dy[o]. */
function addOuterProduct(x: usize, dy: usize, inChannels: i32, outChannels: i32, gradient: usize): void {
  for (let i = 0; i < inChannels; i++) {
    const value = v128.load32_splat(x);
    for (let o = 0; o < outChannels; o += 4) {
      const offset = (<usize>o) << 2;
      const sum = multiplyAdd(value, v128.load(dy + offset), v128.load(gradient + offset));
      storeLanes(gradient + offset, sum, outChannels - o);
    }
    x += 4;
    gradient += (<usize>outChannels) << 2;
  }
}
