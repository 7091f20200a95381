// AssemblyScript of the micro-kernels, one function for each tile: AssemblyScript has no macros, and accumulators must be
// named local variables to stay in registers. What the functions do is documented where they are emitted.

import { TILE_NAMES, TILES, type Tile } from './tile.js';

/** The source of the generated module, which imports arithmetic.ts and lanes.ts from the path `assembly`. */
export function tileSource(assembly: string): string {
  const functions = TILE_NAMES.flatMap((name) => [gemm(TILES[name]), filterGradient(TILES[name])]);
  return [
    `import { multiplyAdd } from '${assembly}/arithmetic';`,
    `import { storeLanes } from '${assembly}/lanes';`,
    ...functions,
  ].join('\n');
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Joins the lines that `line` makes for each index. */
function lines(length: number, line: (i: number) => string): string {
  return range(length).map(line).join('\n');
}

/** Each accumulator of the tile: row r, vector v. */
function accumulators({ rows, columns }: Tile, line: (r: number, v: number) => string): string {
  return lines(rows, (r) => lines(columns / 4, (v) => line(r, v)));
}

/** One step of k: B's vectors at `bp`, A's rows as splats at `a + k`. */
function multiplyStep({ rows, columns }: Tile): string {
  const b = lines(columns / 4, (v) => `const b${v} = v128.load(bp, ${16 * v});`);
  const body = lines(
    rows,
    (r) => `{ const x = v128.load32_splat(a${r} + k);
${lines(columns / 4, (v) => `c${r}_${v} = multiplyAdd(x, b${v}, c${r}_${v});`)} }`,
  );
  return `${b}\n${body}`;
}

/**
 * out[r][n] = bias[n] + Σ_segments Σ_k A[r][segment + k] · B[k][n], ReLU on request.
 *
 * Row r of A starts at a + aOffsets[r], row r of the result at out + outOffsets[r] (offsets in bytes, u32). A segment is
 * (offset in bytes, length in floats), the same for all rows; B holds panels of the tile's width, [columns / width,
 * depth, width], zero beyond `columns`. `bias` is always an address: without a bias, of zeros, as many as there are columns
 * rounded up to the tile's. The last tile repeats its last row: the same value is stored twice, which is cheaper than a
 * kernel for each remainder.
 *
 * Three things were measured. Unrolled over k, V8 loads ahead and spills accumulators: a fifth slower on Node 20. An index k
 * beside fixed row addresses costs an addition a row where moving addresses cost one and a zero extension. And accumulators
 * that start as constants on one path and loads on the other are not paired to 256 bits by V8's re-vectorisation.
 */
function gemm(tile: Tile): string {
  const { rows, columns } = tile;
  return `
export function gemm${rows}x${columns}(
  rows: i32, columns: i32, depth: i32, a: usize, aOffsets: usize, segments: i32, segmentTable: usize,
  b: usize, bias: usize, out: usize, outOffsets: usize, relu: i32,
): void {
  const last = rows - 1;
  for (let column = 0; column < columns; column += ${columns}) {
    const panel = b + ((<usize>column * depth) << 2);
    const width = columns - column;
    for (let row = 0; row < rows; row += ${rows}) {
${lines(rows, (r) => `const r${r} = <usize>min(row + ${r}, last) << 2;`)}
${accumulators(tile, (r, v) => `let c${r}_${v} = v128.load(bias + (<usize>column << 2), ${16 * v});`)}
      let bp = panel;
      for (let s = 0; s < segments; s++) {
        const offset = a + load<u32>(segmentTable + (<usize>s << 3));
        const length = load<u32>(segmentTable + (<usize>s << 3), 4);
${lines(rows, (r) => `const a${r} = offset + load<u32>(aOffsets + r${r});`)}
        const end = length << 2;
        for (let k: usize = 0; k < end; k += 4) {
${multiplyStep(tile)}
          bp += ${columns * 4};
        }
      }
      if (relu) {
        // pmax(x, 0) = x < 0 ? 0 : x keeps a NaN.
        const zero = f32x4.splat(0);
${accumulators(tile, (r, v) => `c${r}_${v} = f32x4.pmax(c${r}_${v}, zero);`)}
      }
      const target = out + (<usize>column << 2);
${lines(rows, (r) => `const o${r} = target + load<u32>(outOffsets + r${r});`)}
      if (width >= ${columns}) {
${accumulators(tile, (r, v) => `v128.store(o${r}, c${r}_${v}, ${16 * v});`)}
      } else {
${accumulators(tile, (r, v) => `if (width > ${4 * v}) storeLanes(o${r} + ${16 * v}, c${r}_${v}, width - ${4 * v});`)}
      }
    }
  }
}`;
}

/**
 * gradient[m][n] (+)= Σ_lines Σ_pixels big[line, pixel][m] · small[line, pixel][n].
 *
 * For one row of taps of the kernel: m runs over kw · bigChannels neighbouring floats of the big map, n over the
 * channels of the small one. Strides in bytes. Sums run over pixels, then lines, in order, from the value that stands
 * in `gradient`, or from 0 where `zeros` is the address of a row of zeros (of the tile's width): blocks of lines and
 * micro-batches do not change a bit.
 */
function filterGradient(tile: Tile): string {
  const { rows, columns } = tile;
  const vectors = columns / 4;
  return `
export function filterGradient${rows}x${columns}(
  rows: i32, columns: i32, gradient: usize, big: usize, bigPixelStride: i32, bigLineStride: i32,
  small: usize, smallPixelStride: i32, smallLineStride: i32, pixels: i32, lines: i32, zeros: usize,
): void {
  const pitch = <usize>columns << 2;
  for (let column = 0; column < columns; column += ${columns}) {
    const width = columns - column;
    for (let row = 0; row < rows; row += ${rows}) {
      const height = rows - row;
      const g0 = gradient + <usize>row * pitch + (<usize>column << 2);
${lines(rows - 1, (r) => `const g${r + 1} = height > ${r + 1} ? g${r} + pitch : g0;`)}
${lines(rows, (r) => `const s${r} = zeros ? zeros : g${r};`)}
${accumulators(tile, (r, v) => `let c${r}_${v} = v128.load(s${r}, ${16 * v});`)}
      let bigLine = big + (<usize>row << 2);
      let smallLine = small + (<usize>column << 2);
      for (let line = 0; line < lines; line++) {
        let x = bigLine;
        let y = smallLine;
        const end = y + pixels * smallPixelStride;
        while (y != end) {
${lines(vectors, (v) => `const b${v} = v128.load(y, ${16 * v});`)}
${lines(
  rows,
  (r) => `{ const s = v128.load32_splat(x, ${4 * r});
${lines(vectors, (v) => `c${r}_${v} = multiplyAdd(s, b${v}, c${r}_${v});`)} }`,
)}
          x += bigPixelStride;
          y += smallPixelStride;
        }
        bigLine += bigLineStride;
        smallLine += smallLineStride;
      }
      if (width >= ${columns} && height >= ${rows}) {
${accumulators(tile, (r, v) => `v128.store(g${r}, c${r}_${v}, ${16 * v});`)}
      } else {
${range(rows)
  .reverse()
  .map(
    (r) => `if (height > ${r}) {
${lines(vectors, (v) => `if (width > ${4 * v}) storeLanes(g${r} + ${16 * v}, c${r}_${v}, width - ${4 * v});`)}
}`,
  )
  .join('\n')}
      }
    }
  }
}`;
}
