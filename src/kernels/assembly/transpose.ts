import { transposeBlock } from './lanes';

/** target[c][r] = source[r][c]: a matrix [rows, columns] to one of [columns, rows], four by four. */
export function transposeTensor(source: usize, rows: i32, columns: i32, target: usize): void {
  const pitch = (<usize>columns) << 2;
  const targetPitch = (<usize>rows) << 2;
  const wholeColumns = columns & ~3;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let from = source + <usize>row * pitch;
    let to = target + ((<usize>row) << 2);
    for (let column = 0; column < wholeColumns; column += 4) {
      transposeBlock(from, pitch, to, targetPitch);
      from += 16;
      to += 4 * targetPitch;
    }
    for (let column = wholeColumns; column < columns; column++) {
      for (let r: usize = 0; r < 4; r++) store<f32>(to + (r << 2), load<f32>(from + r * pitch));
      from += 4;
      to += targetPitch;
    }
  }
  for (; row < rows; row++) {
    let from = source + <usize>row * pitch;
    let to = target + ((<usize>row) << 2);
    for (let column = 0; column < columns; column++) {
      store<f32>(to, load<f32>(from));
      from += 4;
      to += targetPitch;
    }
  }
}

/**
 * Panels of `width` columns (a multiple of four) of a matrix [depth, columns] whose rows lie `pitch` bytes apart: [columns / width,
 * depth, width], zeros beyond `columns`. Like packPanels, but a row of all panels at a time: what is read is contiguous.
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
