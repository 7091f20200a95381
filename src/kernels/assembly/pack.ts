// Weights in the order in which gemm.ts reads them, once a step.
//
// Row k = (tap, inner) of the packed matrix is the weight at source + tapOffsets[tap] + inner · innerStride, and
// column n lies n · columnStride further (strides and offsets in bytes). Forward passes of conv2d and dense
// read the weights as they stand (columnStride 4); the transposed passes exchange the two channel axes.

/** Panels [from, to) of eight columns each, [taps · inner, 8], zeros beyond `columns`. */
export function packPanels(
  source: usize,
  taps: i32,
  tapOffsets: usize,
  inner: i32,
  innerStride: i32,
  columns: i32,
  columnStride: i32,
  from: i32,
  to: i32,
  destination: usize,
): void {
  let target = destination + ((<usize>from * taps * inner) << 5);
  for (let panel = from; panel < to; panel++) {
    const column = panel << 3;
    const width = min(columns - column, 8);
    for (let tap = 0; tap < taps; tap++) {
      let row = source + load<u32>(tapOffsets + ((<usize>tap) << 2)) + <usize>column * columnStride;
      for (let k = 0; k < inner; k++) {
        if (width == 8 && columnStride == 4) {
          v128.store(target, v128.load(row));
          v128.store(target, v128.load(row, 16), 16);
        } else {
          let from = row;
          for (let n = 0; n < 8; n++) {
            store<f32>(target + ((<usize>n) << 2), n < width ? load<f32>(from) : 0);
            from += columnStride;
          }
        }
        row += innerStride;
        target += 32;
      }
    }
  }
}

/** Columns for gemmDot4: [columns, segments of taps · inner rounded up to four], zeros at each segment's end. */
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
