/** Functions of the WebAssembly module around the GEMM kernels: assembly/border.ts, epilogue.ts, finite.ts, transpose.ts. */
export interface ProductExports {
  allFinite(x: number, count: number): number;
  zeroFloats(target: number, count: number): void;
  copyBordered(source: number, target: number, lines: number, length: number, border: number): void;
  transposeTensor(source: number, rows: number, columns: number, target: number): void;
  addRows(
    out: number,
    rows: number,
    columns: number,
    addend: number,
    rowStride: number,
    columnStride: number,
  ): void;
  fillRows(out: number, rows: number, columns: number, row: number): void;
  activate(kind: number, out: number, count: number, slope: number): void;
  preluRows(
    out: number,
    rows: number,
    columns: number,
    slopes: number,
    rowStride: number,
    columnStride: number,
  ): void;
  reluGradient(x: number, dy: number, dx: number, count: number): void;
}
