// Largest values of windows (max pooling; morphological dilation, which adds a filter first) and averages of
// windows, with gradients. What lies outside of the input is no part of a window.

import { storeLanes } from './lanes';
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
  widthEnd,
  widthFrom,
  word,
} from './window';

/** What is done with a window: its largest value to `target`, or dy to where that came from. */
const FORWARD = 0;
const TO_INPUT = 1;
const TO_FILTER = 2;
const AVERAGE_TO_INPUT = 3;

/**
 * out = max of x + filter over each window, NaN left out, −∞ of nothing.
 * @param filter [depth, height, width, channels], or 0 for none.
 */
export function windowMax(geometry: usize, x: usize, filter: usize, out: usize): void {
  slide(FORWARD, geometry, x, filter, 0, out);
}

/** dx = dy at the first of each window's largest x + filter, summed where windows overlap. */
export function windowMaxInputGradient(geometry: usize, x: usize, filter: usize, dy: usize, dx: usize): void {
  memory.fill(dx, 0, volumeBytes(geometry, IN_DEPTH));
  slide(TO_INPUT, geometry, x, filter, dy, dx);
}

/** dFilter = sum of dy of the windows in which a tap gave the first of the largest x + filter. */
export function windowMaxFilterGradient(
  geometry: usize,
  x: usize,
  filter: usize,
  dy: usize,
  dFilter: usize,
): void {
  const taps = word(geometry, FILTER_DEPTH) * word(geometry, FILTER_HEIGHT) * word(geometry, FILTER_WIDTH);
  memory.fill(dFilter, 0, (<usize>(taps * word(geometry, IN_CHANNELS))) << 2);
  slide(TO_FILTER, geometry, x, filter, dy, dFilter);
}

/** dx of averages over windows: dy / (taps of the window that lie in the input) to each of these. */
export function windowAverageGradient(geometry: usize, dy: usize, dx: usize): void {
  memory.fill(dx, 0, volumeBytes(geometry, IN_DEPTH));
  slide(AVERAGE_TO_INPUT, geometry, 0, 0, dy, dx);
}

function volumeBytes(geometry: usize, depth: i32): usize {
  const pixels =
    word(geometry, BATCH) * word(geometry, depth) * word(geometry, depth + 1) * word(geometry, depth + 2);
  return (<usize>(pixels * word(geometry, IN_CHANNELS))) << 2;
}

// @ts-ignore: decorator
@inline
function slide(what: i32, geometry: usize, x: usize, filter: usize, dy: usize, target: usize): void {
  const channels = word(geometry, IN_CHANNELS);
  const pitch = (<usize>channels) << 2;
  let pixel: usize = 0;
  for (let open = openWindows(geometry); open; open = nextWindow(geometry)) {
    const place = <usize>corner * pitch;
    for (let c = 0; c < channels; c += 4) {
      const offset = (<usize>c) << 2;
      const rest = channels - c;
      if (what == FORWARD) {
        const best = findLargest(geometry, x + place + offset, filter + offset, filter, pitch);
        storeLanes(target + pixel + offset, best, rest);
      } else if (what == AVERAGE_TO_INPUT) {
        const gradient = v128.load(dy + pixel + offset);
        spread(geometry, gradient, target + place + offset, pitch, rest);
      } else {
        findLargest(geometry, x + place + offset, filter + offset, filter, pitch);
        const gradient = v128.load(dy + pixel + offset);
        const start = what == TO_INPUT ? target + place + offset : target + offset;
        route(what, geometry, gradient, start, pitch, rest);
      }
    }
    pixel += pitch;
  }
}

/** Number of the tap that gave the largest value, in each lane; −1 for none. */
let largestTap: v128 = i32x4.splat(-1);

function findLargest(geometry: usize, x: usize, filter: usize, hasFilter: usize, pitch: usize): v128 {
  const inHeight = word(geometry, IN_HEIGHT);
  const inWidth = word(geometry, IN_WIDTH);
  const step = <usize>word(geometry, DILATION_WIDTH) * pitch;
  let best = f32x4.splat(-Infinity);
  let from = i32x4.splat(-1);
  for (let td = depthFrom; td < depthEnd; td++) {
    for (let th = heightFrom; th < heightEnd; th++) {
      const line = td * word(geometry, DILATION_DEPTH) * inHeight + th * word(geometry, DILATION_HEIGHT);
      let p = x + <usize>(line * inWidth) * pitch + <usize>widthFrom * step;
      let tap = (td * word(geometry, FILTER_HEIGHT) + th) * word(geometry, FILTER_WIDTH) + widthFrom;
      for (let tw = widthFrom; tw < widthEnd; tw++) {
        let value = v128.load(p);
        if (hasFilter) value = f32x4.add(value, v128.load(filter + <usize>tap * pitch));
        const larger = f32x4.gt(value, best);
        best = v128.bitselect(value, best, larger);
        from = v128.bitselect(i32x4.splat(tap), from, larger);
        p += step;
        tap++;
      }
    }
  }
  largestTap = from;
  return best;
}

/** Adds the gradient to the tap it came from: at the tap's pixel, or in the filter. */
// @ts-ignore: decorator
@inline
function route(what: i32, geometry: usize, gradient: v128, start: usize, pitch: usize, rest: i32): void {
  const inHeight = word(geometry, IN_HEIGHT);
  const inWidth = word(geometry, IN_WIDTH);
  const step = <usize>word(geometry, DILATION_WIDTH) * pitch;
  const from = largestTap;
  for (let td = depthFrom; td < depthEnd; td++) {
    for (let th = heightFrom; th < heightEnd; th++) {
      const line = td * word(geometry, DILATION_DEPTH) * inHeight + th * word(geometry, DILATION_HEIGHT);
      let p = start + <usize>(line * inWidth) * pitch + <usize>widthFrom * step;
      let tap = (td * word(geometry, FILTER_HEIGHT) + th) * word(geometry, FILTER_WIDTH) + widthFrom;
      for (let tw = widthFrom; tw < widthEnd; tw++) {
        const part = v128.and(gradient, i32x4.eq(from, i32x4.splat(tap)));
        const q = what == TO_INPUT ? p : start + <usize>tap * pitch;
        storeLanes(q, f32x4.add(v128.load(q), part), rest);
        p += step;
        tap++;
      }
    }
  }
}

function spread(geometry: usize, gradient: v128, start: usize, pitch: usize, rest: i32): void {
  const inHeight = word(geometry, IN_HEIGHT);
  const inWidth = word(geometry, IN_WIDTH);
  const step = <usize>word(geometry, DILATION_WIDTH) * pitch;
  const count = (depthEnd - depthFrom) * (heightEnd - heightFrom) * (widthEnd - widthFrom);
  const part = f32x4.div(gradient, f32x4.splat(<f32>count));
  for (let td = depthFrom; td < depthEnd; td++) {
    for (let th = heightFrom; th < heightEnd; th++) {
      const line = td * word(geometry, DILATION_DEPTH) * inHeight + th * word(geometry, DILATION_HEIGHT);
      let p = start + <usize>(line * inWidth) * pitch + <usize>widthFrom * step;
      for (let tw = widthFrom; tw < widthEnd; tw++) {
        storeLanes(p, f32x4.add(v128.load(p), part), rest);
        p += step;
      }
    }
  }
}
