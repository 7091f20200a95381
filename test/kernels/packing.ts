// The layouts of packed weights (src/kernels/assembly/pack.ts), written out plainly.

/** A matrix of weights, [depth, columns], by element. */
export type Weights = (k: number, column: number) => number;

/** [⌈columns / width⌉, depth, width], zeros beyond `columns`. */
export function panels(weights: Weights, depth: number, columns: number, width: number): Float32Array {
  const packed = new Float32Array(Math.ceil(columns / width) * width * depth);
  for (let column = 0; column < columns; column++) {
    for (let k = 0; k < depth; k++) {
      packed[(Math.floor(column / width) * depth + k) * width + (column % width)] = weights(k, column);
    }
  }
  return packed;
}

/** [columns, Σ segments rounded up to four], zeros at each segment's end. */
export function paddedColumns(weights: Weights, segments: readonly number[], columns: number): Float32Array {
  const packed: number[] = [];
  for (let column = 0; column < columns; column++) {
    let k = 0;
    for (const length of segments) {
      for (let i = 0; i < length; i++) packed.push(weights(k++, column));
      while (packed.length % 4 !== 0) packed.push(0);
    }
  }
  return Float32Array.from(packed);
}
