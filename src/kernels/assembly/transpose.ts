import { transposeBlock } from './lanes';

/** target[c][r] = source[r][c]: a matrix [rows, columns] to one of [columns, rows]. */
export function transposeTensor(source: usize, rows: i32, columns: i32, target: usize): void {
  transposeMatrix(source, rows, columns, columns << 2, target, rows << 2);
}

/**
 * target[column][row] = source[row][column], [rows, columns]; pitches in bytes from row to row of each.
 *
 * The last blocks end with the last row and the last column: the same value is stored twice, which costs less
 * than parts of vectors.
 */
export function transposeMatrix(
  source: usize,
  rows: i32,
  columns: i32,
  sourcePitch: i32,
  target: usize,
  targetPitch: i32,
): void {
  if (rows < 4 || columns < 4) return transposeSmall(source, rows, columns, sourcePitch, target, targetPitch);
  const rest = rows & 3;
  const sourceStep = 4 * sourcePitch;
  for (let next = 0; next < columns; next += 4) {
    const column = <usize>min(next, columns - 4);
    let from = source + (column << 2);
    let out = target + column * targetPitch;
    for (const end = out + ((<usize>(rows - rest)) << 2); out != end; out += 16) {
      transposeBlock(from, sourcePitch, out, targetPitch);
      from += sourceStep;
    }
    if (rest)
      transposeBlock(from - (4 - rest) * sourcePitch, sourcePitch, out - ((4 - rest) << 2), targetPitch);
  }
}

/** With fewer than four rows or columns. */
function transposeSmall(
  source: usize,
  rows: i32,
  columns: i32,
  sourcePitch: i32,
  target: usize,
  targetPitch: i32,
): void {
  for (let column = 0; column < columns; column++) {
    let from = source + ((<usize>column) << 2);
    let out = target + <usize>column * targetPitch;
    for (const end = out + ((<usize>rows) << 2); out != end; out += 4) {
      f32.store(out, f32.load(from));
      from += sourcePitch;
    }
  }
}
