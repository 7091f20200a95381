// Weights in the order in which the GEMMs read them (tiles/source.ts), once a step.
//
// Row k = (tap, inner) of the packed matrix is the weight at source + tapOffsets[tap] + inner · innerStride,
// and column n lies n · columnStride further (strides and offsets in bytes). Forward passes of conv2d and
// dense read the weights as they stand (columnStride 4); the transposed passes exchange the two channel axes.

import { transposeBlock } from './lanes';

/**
 * Panels [from, to) of `width` columns each (a multiple of four), [taps · inner, width], zeros beyond
 * `columns`.
 */
export function packPanels(
  source: usize,
  taps: i32,
  tapOffsets: usize,
  inner: i32,
  innerStride: i32,
  columns: i32,
  columnStride: i32,
  width: i32,
  from: i32,
  to: i32,
  destination: usize,
): void {
  const pitch = (<usize>width) << 2;
  let target = destination + <usize>from * taps * inner * pitch;
  for (let panel = from; panel < to; panel++) {
    const column = panel * width;
    const filled = min(columns - column, width);
    for (let tap = 0; tap < taps; tap++) {
      const row = source + load<u32>(tapOffsets + ((<usize>tap) << 2)) + <usize>column * columnStride;
      if (filled == width && columnStride == 4) {
        copyRows(row, target, inner, innerStride, width);
      } else if (innerStride == 4) {
        transposeRows(row, target, inner, columnStride, filled, width);
      } else {
        gatherRows(row, target, inner, innerStride, columnStride, filled, width);
      }
      target += <usize>inner * pitch;
    }
  }
}

function copyRows(row: usize, target: usize, inner: i32, innerStride: i32, width: i32): void {
  for (let k = 0; k < inner; k++) {
    for (let n = 0; n < width; n += 4)
      v128.store(target + ((<usize>n) << 2), v128.load(row + ((<usize>n) << 2)));
    row += innerStride;
    target += (<usize>width) << 2;
  }
}

/** Four columns times four k at a time; what is left goes element by element. */
function transposeRows(
  row: usize,
  target: usize,
  inner: i32,
  columnStride: i32,
  filled: i32,
  width: i32,
): void {
  const pitch = (<usize>width) << 2;
  for (let n = 0; n < width; n += 4) {
    const whole = n + 4 <= filled ? inner & ~3 : 0;
    const column = row + <usize>n * columnStride;
    let out = target + ((<usize>n) << 2);
    for (let k = 0; k < whole; k += 4) {
      const from = column + ((<usize>k) << 2);
      transposeBlock(from, columnStride, out, pitch);
      out += 4 * pitch;
    }
    const rest = inner - whole;
    gatherRows(
      column + ((<usize>whole) << 2),
      out,
      rest,
      4,
      columnStride,
      max(min(filled - n, 4), 0),
      4,
      pitch,
    );
  }
}

function gatherRows(
  row: usize,
  target: usize,
  inner: i32,
  innerStride: i32,
  columnStride: i32,
  filled: i32,
  width: i32,
  pitch: usize = (<usize>width) << 2,
): void {
  for (let k = 0; k < inner; k++) {
    let from = row;
    for (let n = 0; n < width; n++) {
      store<f32>(target + ((<usize>n) << 2), n < filled ? load<f32>(from) : 0);
      from += columnStride;
    }
    row += innerStride;
    target += pitch;
  }
}

/**
 * Columns for gemmDot4: [columns, segments of taps · inner rounded up to four], zeros at each segment's end.
 */
export function packColumns(
  source: usize,
  segments: i32,
  tapsPerSegment: i32,
  tapOffsets: usize,
  inner: i32,
  innerStride: i32,
  columns: i32,
  columnStride: i32,
  destination: usize,
): void {
  let target = destination;
  const length = tapsPerSegment * inner;
  const rest = ((length + 3) & ~3) - length;
  for (let column = 0; column < columns; column++) {
    for (let segment = 0; segment < segments; segment++) {
      for (let tap = segment * tapsPerSegment; tap < (segment + 1) * tapsPerSegment; tap++) {
        let row = source + load<u32>(tapOffsets + ((<usize>tap) << 2)) + <usize>column * columnStride;
        for (let k = 0; k < inner; k++) {
          store<f32>(target, load<f32>(row));
          row += innerStride;
          target += 4;
        }
      }
      for (let k = 0; k < rest; k++) {
        store<f32>(target, 0);
        target += 4;
      }
    }
  }
}

/**
 * Panels of `width` columns (a multiple of four) of a matrix [depth, columns] whose rows lie `pitch` bytes
 * apart: [columns / width, depth, width], zeros beyond `columns`. Like packPanels, but a row of all panels at
 * a time: what is read is contiguous.
 */
export function packRows(
  source: usize,
  depth: i32,
  pitch: i32,
  columns: i32,
  width: i32,
  destination: usize,
): void {
  const rowBytes = (<usize>width) << 2;
  const panelBytes = <usize>depth * rowBytes;
  const whole = columns - (columns % width);
  for (let k = 0; k < depth; k++) {
    let from = source;
    let to = destination;
    if (width == 16) {
      for (let column = 0; column < whole; column += 16) {
        v128.store(to, v128.load(from, 16), 16);
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 48), 48);
        v128.store(to, v128.load(from, 32), 32);
        from += 64;
        to += panelBytes;
      }
    } else {
      for (let column = 0; column < whole; column += 8) {
        v128.store(to, v128.load(from, 16), 16);
        v128.store(to, v128.load(from));
        from += 32;
        to += panelBytes;
      }
    }
    for (let i = 0; whole < columns && i < width; i++) {
      store<f32>(to + ((<usize>i) << 2), whole + i < columns ? load<f32>(from + ((<usize>i) << 2)) : 0);
    }
    source += pitch;
    destination += rowBytes;
  }
}
