// Gradients of the convolution of volumes: x [batch, depth, height, width, inChannels], filter
// [depth, height, width, inChannels, outChannels], dy [batch, depth, height, width, outChannels].

import { multiplyAdd } from './arithmetic';
import { storeLanes, sumLanes } from './lanes';
import {
  BATCH,
  corner,
  depthEnd,
  depthFrom,
  DILATION_DEPTH,
  DILATION_HEIGHT,
  DILATION_WIDTH,
  FILTER_DEPTH,
  FILTER_HEIGHT,
  FILTER_WIDTH,
  heightEnd,
  heightFrom,
  IN_CHANNELS,
  IN_DEPTH,
  IN_HEIGHT,
  IN_WIDTH,
  nextWindow,
  openWindows,
  OUT_CHANNELS,
  widthEnd,
  widthFrom,
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
  const inChannels = word(geometry, IN_CHANNELS);
  const outChannels = word(geometry, OUT_CHANNELS);
  const inPitch = (<usize>inChannels) << 2;
  const outPitch = (<usize>outChannels) << 2;
  for (let open = openWindows(geometry); open; open = nextWindow(geometry)) {
    const start = x + <usize>corner * inPitch;
    for (let td = depthFrom; td < depthEnd; td++) {
      for (let th = heightFrom; th < heightEnd; th++) {
        const plane = td * word(geometry, DILATION_DEPTH) * word(geometry, IN_HEIGHT);
        const line = (plane + th * word(geometry, DILATION_HEIGHT)) * word(geometry, IN_WIDTH);
        for (let tw = widthFrom; tw < widthEnd; tw++) {
          const pixel = start + <usize>(line + tw * word(geometry, DILATION_WIDTH)) * inPitch;
          const tap = (td * word(geometry, FILTER_HEIGHT) + th) * word(geometry, FILTER_WIDTH) + tw;
          const weights = filter + <usize>(tap * inChannels) * outPitch;
          if (toInput) addProducts(weights, dy, inChannels, outChannels, pixel);
          else addOuterProduct(pixel, dy, inChannels, outChannels, weights);
        }
      }
    }
    dy += outPitch;
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
