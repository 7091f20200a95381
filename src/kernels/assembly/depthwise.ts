// Gradients of the depthwise convolution with one output for each input channel (images, no depth). A channel
// multiplier m is brought here by repeating the input's channels m times, and summing the input gradient over
// the repetitions.

import { multiplyAdd } from './arithmetic';
import { storeLanes } from './lanes';
import {
  BATCH,
  DILATION_HEIGHT,
  DILATION_WIDTH,
  endTap,
  FILTER_HEIGHT,
  FILTER_WIDTH,
  firstTap,
  IN_CHANNELS,
  IN_HEIGHT,
  IN_WIDTH,
  OUT_HEIGHT,
  OUT_WIDTH,
  PAD_HEIGHT,
  PAD_WIDTH,
  STRIDE_HEIGHT,
  STRIDE_WIDTH,
  word,
} from './window';

/**
 * dx[n][h][w][c] = Σ dy[n][oh][ow][c] · filter[th][tw][c] over the taps that lead there, in order.
 * @param rows for each input row: number of its pairs of bytes (offset of a line of dy, offset of a line of
 * the filter), and the address of these pairs; `columns` likewise for each input column.
 */
export function depthwiseInputGradient(
  geometry: usize,
  rows: usize,
  columns: usize,
  dy: usize,
  filter: usize,
  dx: usize,
): void {
  const channels = word(geometry, IN_CHANNELS);
  const image = (<usize>(word(geometry, OUT_HEIGHT) * word(geometry, OUT_WIDTH) * channels)) << 2;
  let pixel = dx;
  for (let n = 0; n < word(geometry, BATCH); n++) {
    for (let h = 0; h < word(geometry, IN_HEIGHT); h++) {
      const row = rows + ((<usize>h) << 3);
      for (let w = 0; w < word(geometry, IN_WIDTH); w++) {
        inputPixel(row, columns + ((<usize>w) << 3), dy, filter, channels, pixel);
        pixel += (<usize>channels) << 2;
      }
    }
    dy += image;
  }
}

function inputPixel(row: usize, column: usize, dy: usize, filter: usize, channels: i32, pixel: usize): void {
  const rowPairs = load<usize>(row, 4);
  const rowEnd = rowPairs + (load<usize>(row) << 3);
  const columnPairs = load<usize>(column, 4);
  const columnEnd = columnPairs + (load<usize>(column) << 3);
  let c = 0;
  for (; c + 16 <= channels; c += 16) {
    const offset = (<usize>c) << 2;
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    for (let r = rowPairs; r < rowEnd; r += 8) {
      const line = dy + load<usize>(r) + offset;
      const taps = filter + load<usize>(r, 4) + offset;
      for (let q = columnPairs; q < columnEnd; q += 8) {
        const a = line + load<usize>(q);
        const b = taps + load<usize>(q, 4);
        s0 = multiplyAdd(v128.load(a), v128.load(b), s0);
        s1 = multiplyAdd(v128.load(a, 16), v128.load(b, 16), s1);
        s2 = multiplyAdd(v128.load(a, 32), v128.load(b, 32), s2);
        s3 = multiplyAdd(v128.load(a, 48), v128.load(b, 48), s3);
      }
    }
    v128.store(pixel + offset, s1, 16);
    v128.store(pixel + offset, s0);
    v128.store(pixel + offset, s3, 48);
    v128.store(pixel + offset, s2, 32);
  }
  for (; c < channels; c += 4) {
    const offset = (<usize>c) << 2;
    let s = f32x4.splat(0);
    for (let r = rowPairs; r < rowEnd; r += 8) {
      const line = dy + load<usize>(r) + offset;
      const taps = filter + load<usize>(r, 4) + offset;
      for (let q = columnPairs; q < columnEnd; q += 8) {
        s = multiplyAdd(v128.load(line + load<usize>(q)), v128.load(taps + load<usize>(q, 4)), s);
      }
    }
    storeLanes(pixel + offset, s, channels - c);
  }
}

/**
 * dFilter[th][tw][c] = Σ x[n][…][c] · dy[n][oh][ow][c] over the outputs whose tap lies in the input: summed
 * over an image first, in order, then over the images.
 */
export function depthwiseFilterGradient(geometry: usize, x: usize, dy: usize, dFilter: usize): void {
  const channels = word(geometry, IN_CHANNELS);
  const pitch = (<usize>channels) << 2;
  const inImage = <usize>(word(geometry, IN_HEIGHT) * word(geometry, IN_WIDTH)) * pitch;
  const outImage = <usize>(word(geometry, OUT_HEIGHT) * word(geometry, OUT_WIDTH)) * pitch;
  const filterWidth = word(geometry, FILTER_WIDTH);
  const taps = word(geometry, FILTER_HEIGHT) * filterWidth;
  memory.fill(dFilter, 0, <usize>taps * pitch);
  for (let n = 0; n < word(geometry, BATCH); n++) {
    for (let tap = 0; tap < taps; tap++) {
      const th = tap / filterWidth;
      addTap(geometry, th, tap - th * filterWidth, x, dy, dFilter + <usize>tap * pitch);
    }
    x += inImage;
    dy += outImage;
  }
}

function addTap(geometry: usize, th: i32, tw: i32, x: usize, dy: usize, target: usize): void {
  const channels = word(geometry, IN_CHANNELS);
  const pitch = (<usize>channels) << 2;
  const strideHeight = word(geometry, STRIDE_HEIGHT);
  const strideWidth = word(geometry, STRIDE_WIDTH);
  // The tap moves over the input as a window of one tap would: at o · stride + shift.
  const down = th * word(geometry, DILATION_HEIGHT) - word(geometry, PAD_HEIGHT);
  const right = tw * word(geometry, DILATION_WIDTH) - word(geometry, PAD_WIDTH);
  const ohFrom = firstTap(down, strideHeight);
  const ohEnd = endTap(down, strideHeight, word(geometry, OUT_HEIGHT), word(geometry, IN_HEIGHT));
  const owFrom = firstTap(right, strideWidth);
  const owEnd = endTap(right, strideWidth, word(geometry, OUT_WIDTH), word(geometry, IN_WIDTH));
  const inWidth = word(geometry, IN_WIDTH);
  const outWidth = word(geometry, OUT_WIDTH);
  const step = <usize>strideWidth * pitch;
  let c = 0;
  for (; c + 16 <= channels; c += 16) {
    const offset = (<usize>c) << 2;
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    for (let oh = ohFrom; oh < ohEnd; oh++) {
      const h = oh * strideHeight + down;
      let a = x + <usize>(h * inWidth + owFrom * strideWidth + right) * pitch + offset;
      let b = dy + <usize>(oh * outWidth + owFrom) * pitch + offset;
      for (let ow = owFrom; ow < owEnd; ow++) {
        s0 = multiplyAdd(v128.load(a), v128.load(b), s0);
        s1 = multiplyAdd(v128.load(a, 16), v128.load(b, 16), s1);
        s2 = multiplyAdd(v128.load(a, 32), v128.load(b, 32), s2);
        s3 = multiplyAdd(v128.load(a, 48), v128.load(b, 48), s3);
        a += step;
        b += pitch;
      }
    }
    const t = target + offset;
    v128.store(t, f32x4.add(v128.load(t, 16), s1), 16);
    v128.store(t, f32x4.add(v128.load(t), s0));
    v128.store(t, f32x4.add(v128.load(t, 48), s3), 48);
    v128.store(t, f32x4.add(v128.load(t, 32), s2), 32);
  }
  for (; c < channels; c += 4) {
    const offset = (<usize>c) << 2;
    let s = f32x4.splat(0);
    for (let oh = ohFrom; oh < ohEnd; oh++) {
      const h = oh * strideHeight + down;
      let a = x + <usize>(h * inWidth + owFrom * strideWidth + right) * pitch + offset;
      let b = dy + <usize>(oh * outWidth + owFrom) * pitch + offset;
      for (let ow = owFrom; ow < owEnd; ow++) {
        s = multiplyAdd(v128.load(a), v128.load(b), s);
        a += step;
        b += pitch;
      }
    }
    const t = target + offset;
    storeLanes(t, f32x4.add(v128.load(t), s), channels - c);
  }
}

/** out[i · times + k] = x[i], k = 0 … times − 1. */
export function repeatElements(x: usize, count: i32, times: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    const value = load<f32>(x + ((<usize>i) << 2));
    for (let k = 0; k < times; k++) {
      store<f32>(out, value);
      out += 4;
    }
  }
}
