// AssemblyScript of the micro-kernels, one function for each tile: AssemblyScript has no macros, and
// accumulators must be named local variables to stay in registers. What the functions do is documented where
// they are emitted.

import {
  LIST_WIDTHS,
  TILE_NAMES,
  TILES,
  type Tile,
  TRANSPOSED_TILE_NAMES,
  TRANSPOSED_TILES,
} from './tile.js';

/** The source of the generated module, which imports arithmetic.ts and lanes.ts from the path `assembly`. */
export function tileSource(assembly: string): string {
  const functions = TILE_NAMES.flatMap((name) => [
    gemm(TILES[name], 'packed'),
    gemm(TILES[name], 'inPlace'),
    treeGradient(TILES[name]),
    filterGradient(TILES[name]),
  ]);
  return [
    `import { multiplyAdd } from '${assembly}/arithmetic';`,
    `import { laneMask, storeLanes, sumLanes } from '${assembly}/lanes';`,
    dot(),
    ...functions,
    ...TRANSPOSED_TILE_NAMES.map((name) => gemmTransposed(TRANSPOSED_TILES[name])),
    ...LIST_WIDTHS.map(sumRows),
  ].join('\n');
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Joins the lines that `line` makes for each index. */
function lines(length: number, line: (i: number) => string): string {
  return range(length).map(line).join('\n');
}

/**
 * The rows of a step, the last one first, against the order in which the accumulators are stored. V8 before
 * Turboshaft for WebAssembly (Node 20, 22) sorts the multiply-adds of a block into the reverse of the order
 * of stores, and keeps loads in theirs. Where the two agree, a splat is loaded right before its use, and
 * twelve accumulators, two vectors and one splat fill the fifteen registers; else all splats are loaded
 * first, and accumulators spill.
 */
function rowsUp(rows: number, line: (r: number) => string): string {
  return lines(rows, (r) => line(rows - 1 - r));
}

/** Each accumulator of the tile: row r, vector v. */
function accumulators({ rows, columns }: Tile, line: (r: number, v: number) => string): string {
  return lines(rows, (r) => lines(columns / 4, (v) => line(r, v)));
}

/**
 * Lines for each of an even number of vectors, the higher of each pair first: V8's re-vectorisation makes one
 * store of the two that way. Where the lower one comes first, it stores that one too, so that a trap at
 * the higher one does not leave it undone.
 */
function pairs(vectors: number, line: (v: number) => string): string {
  return lines(vectors, (v) => line(v ^ 1));
}

/** Stores of the tile's accumulators, in that order. */
function stores({ rows, columns }: Tile, line: (r: number, v: number) => string): string {
  return lines(rows, (r) => pairs(columns / 4, (v) => line(r, v)));
}

/** One step of k: B's vectors at `bp`, A's rows as splats at `a + k`. */
function multiplyStep({ rows, columns }: Tile): string {
  const b = lines(columns / 4, (v) => `const b${v} = v128.load(bp, ${16 * v});`);
  const body = rowsUp(
    rows,
    (r) => `{ const x = v128.load32_splat(a${r} + k);
${lines(columns / 4, (v) => `c${r}_${v} = multiplyAdd(x, b${v}, c${r}_${v});`)} }`,
  );
  return `${b}\n${body}`;
}

/** One pixel or example: its vectors of the small map at `y`, its values of the big map as splats at `x`. */
function outerProductStep({ rows, columns }: Tile): string {
  const vectors = columns / 4;
  const b = lines(vectors, (v) => `const b${v} = v128.load(y, ${16 * v});`);
  const body = rowsUp(
    rows,
    (r) => `{ const s = v128.load32_splat(x, ${4 * r});
${lines(vectors, (v) => `c${r}_${v} = multiplyAdd(s, b${v}, c${r}_${v});`)} }`,
  );
  return `${b}\n${body}`;
}

/**
 * out[r][n] = bias[n] + Σ_segments Σ_k A[r][segment + k] · B[k][n], ReLU on request.
 *
 * Row r of A starts at a + aOffsets[r], row r of the result at out + outOffsets[r] (offsets in bytes, u32). A
 * segment is (offset in bytes, length in floats), the same for all rows. gemm's B holds panels of the tile's
 * width, [columns / width, depth, width]; gemmInPlace's is a matrix where it stands, `pitch` bytes from row
 * to row. What stands beyond `columns` is read and has no effect. `bias` is always an address: without a
 * bias, of zeros, as many as there are columns rounded up to the tile's. The last tile repeats its last row:
 * the same value is stored twice, which is cheaper than a kernel for each remainder.
 *
 * Four things were measured. A pitch that is a variable costs 5 %: hence two functions. Unrolled over k, V8
 * loads ahead and spills accumulators: a fifth slower on Node 20. An index k beside fixed row addresses costs
 * an addition a row where moving addresses cost one and a zero extension. And accumulators that start as
 * constants on one path and loads on the other are not paired to 256 bits by V8's re-vectorisation.
 */
function gemm(tile: Tile, weights: 'packed' | 'inPlace'): string {
  const { rows, columns } = tile;
  const packed = weights === 'packed';
  const parameters = packed
    ? `rows: i32, columns: i32, depth: i32, a: usize, aOffsets: usize, segments: i32, segmentTable: usize, b: usize,`
    : `rows: i32, columns: i32, a: usize, aOffsets: usize, segments: i32, segmentTable: usize, b: usize, pitch: i32,`;
  const low: Tile = { rows: 4, columns };
  return `
export function ${packed ? 'gemm' : 'gemmInPlace'}${rows}x${columns}(
  ${parameters}
  bias: usize, out: usize, outOffsets: usize, relu: i32,
): void {
  const last = rows - 1;
${rows === 6 ? SIXES : ''}
  for (let column = 0; column < columns; column += ${columns}) {
    const width = columns - column;
    const panel = b + (<usize>column${packed ? ' * depth' : ''} << 2);
    const target = out + (<usize>column << 2);
    let row = 0;
${rows === 6 ? gemmRows(tile, packed, 'sixes') : ''}
${gemmRows(low, packed, 'rows')}
  }
}`;
}

/** So that tiles of six and then of four compute as few unused rows as possible. */
const SIXES = `
  const rest = rows % 6;
  const sixes = rest == 0 || rest >= 3 ? rows - rest + (rest == 5 ? 6 : 0) : rows - rest - 6;`;

/** The tiles of one column of tiles, up to row `end`. */
function gemmRows(tile: Tile, packed: boolean, end: string): string {
  const { rows, columns } = tile;
  return `
    for (; row < ${end}; row += ${rows}) {
${lines(rows, (r) => `const r${r} = <usize>min(row + ${r}, last) << 2;`)}
${accumulators(tile, (r, v) => `let c${r}_${v} = v128.load(bias + (<usize>column << 2), ${16 * v});`)}
      let bp = panel;
      for (let s = 0; s < segments; s++) {
        let k = a + load<u32>(segmentTable + (<usize>s << 3));
        const end = k + (load<u32>(segmentTable + (<usize>s << 3), 4) << 2);
${lines(rows, (r) => `const a${r} = load<u32>(aOffsets + r${r});`)}
        if (k != end) {
          do {
${multiplyStep(tile)}
            bp += ${packed ? columns * 4 : 'pitch'};
            k += 4;
          } while (k != end);
        }
      }
      if (relu) {
        // pmax(x, 0) = x < 0 ? 0 : x keeps a NaN.
        const zero = f32x4.splat(0);
${accumulators(tile, (r, v) => `c${r}_${v} = f32x4.pmax(c${r}_${v}, zero);`)}
      }
${lines(rows, (r) => `const o${r} = target + load<u32>(outOffsets + r${r});`)}
      if (width >= ${columns}) {
${stores(tile, (r, v) => `v128.store(o${r}, c${r}_${v}, ${16 * v});`)}
      } else {
${accumulators(tile, (r, v) => `if (width > ${4 * v}) storeLanes(o${r} + ${16 * v}, c${r}_${v}, width - ${4 * v});`)}
      }
    }`;
}

/**
 * out[r][n] = Σ_k A[r][k] · B[n][k], for few rows, B where it stands; bits as gemm's with a bias of zeros.
 *
 * Pitches in bytes from row to row. At least as many columns as the tile has: the last tile begins where it
 * ends with the last column, the last tile of rows repeats the last row, and the same value is stored twice.
 * Nothing is read beyond A and B.
 *
 * Lanes are columns, for which four rows of B at a time are transposed in registers: for one or two rows of A
 * that costs half of what gemmInPlace does on the transposed operands, whose lanes are the rows of A, most of
 * them unused.
 */
function gemmTransposed(tile: Tile): string {
  const { rows, columns } = tile;
  const sums = (line: (r: number, g: number) => string) => accumulators(tile, line);
  return `
export function gemmTransposed${rows}x${columns}(
  rows: i32, columns: i32, depth: i32, a: usize, aPitch: i32, b: usize, bPitch: i32, out: usize, outPitch: i32,
): void {
  const whole = <usize>(depth & ~3) << 2;
  const end = <usize>depth << 2;
  const bPitch2 = 2 * bPitch;
  const bPitch3 = 3 * bPitch;
  const bPitch4 = 4 * bPitch;
  for (let row = 0; row < rows; row += ${rows}) {
${lines(rows, (r) => `const r${r} = <usize>min(row + ${r}, rows - 1);`)}
${lines(rows, (r) => `const a${r} = a + r${r} * aPitch;`)}
    for (let next = 0; next < columns; next += ${columns}) {
      const column = <usize>min(next, columns - ${columns});
      const first = b + column * bPitch;
${sums((r, g) => `let c${r}_${g} = f32x4.splat(0);`)}
      let k: usize = 0;
      for (; k < whole; k += 16) {
${lines(rows, (r) => `const x${r} = a${r} + k;`)}
        let p = first + k;
${transposedGroups(tile, transposedStep)}
      }
      for (; k < end; k += 4) {
${lines(rows, (r) => `const x${r} = v128.load32_splat(a${r} + k);`)}
        let p = first + k;
${transposedGroups(tile, transposedRestStep)}
      }
${lines(rows, (r) => `const o${r} = out + r${r} * outPitch + (column << 2);`)}
${sums((r, g) => `v128.store(o${r}, c${r}_${g}, ${16 * g});`)}
    }
  }
}`;
}

/** A step of k for each four columns: their rows of B begin at `p`. */
function transposedGroups({ rows, columns }: Tile, step: (rows: number, g: number) => string): string {
  const groups = columns / 4;
  return lines(groups, (g) => `{ ${step(rows, g)}\n${g < groups - 1 ? 'p += bPitch4;' : ''} }`);
}

/** Four steps of k for four columns. */
function transposedStep(rows: number, g: number): string {
  return `
const b0 = v128.load(p);
const b1 = v128.load(p + bPitch);
const b2 = v128.load(p + bPitch2);
const b3 = v128.load(p + bPitch3);
const low01 = v128.shuffle<i32>(b0, b1, 0, 4, 1, 5);
const low23 = v128.shuffle<i32>(b2, b3, 0, 4, 1, 5);
const high01 = v128.shuffle<i32>(b0, b1, 2, 6, 3, 7);
const high23 = v128.shuffle<i32>(b2, b3, 2, 6, 3, 7);
const k0 = v128.shuffle<i64>(low01, low23, 0, 2);
const k1 = v128.shuffle<i64>(low01, low23, 1, 3);
const k2 = v128.shuffle<i64>(high01, high23, 0, 2);
const k3 = v128.shuffle<i64>(high01, high23, 1, 3);
${lines(4, (k) =>
  lines(rows, (r) => `c${r}_${g} = multiplyAdd(v128.load32_splat(x${r}, ${4 * k}), k${k}, c${r}_${g});`),
)}`;
}

/** One step of k for four columns, of those behind a multiple of four. */
function transposedRestStep(rows: number, g: number): string {
  return `
const t = f32x4(load<f32>(p), load<f32>(p + bPitch), load<f32>(p + bPitch2), load<f32>(p + bPitch3));
${lines(rows, (r) => `c${r}_${g} = multiplyAdd(x${r}, t, c${r}_${g});`)}`;
}

/**
 * out[r][n] = bias[n] + Σ_segments Σ_k A[r][segment + k] · B[k][n], ReLU on request: dot products, vectorised
 * along k, for few columns.
 *
 * Rows, segments and the epilogue are gemm's. B holds the columns themselves, [columns, Σ lengths rounded up
 * to 4], zeros at the end of each segment; `depth` is so rounded too, and a bias of 0 means none.
 * Sums: four lanes along k, then (0 + 2) + (1 + 3), then the bias.
 *
 * Four sums at a time wait for each other's latency, and eight spill where a product needs a register of its
 * own.
 */
function dot(): string {
  return `
export function gemmDot4(
  rows: i32, columns: i32, depth: i32, a: usize, aOffsets: usize, segments: i32, segmentTable: usize, b: usize,
  bias: usize, out: usize, outOffsets: usize, relu: i32,
): void {
  const last = rows - 1;
${SIXES}
  for (let column = 0; column < columns; column++) {
    const start = bias ? load<f32>(bias + (<usize>column << 2)) : <f32>0;
    const packed = b + (<usize>column * depth << 2);
    const target = out + (<usize>column << 2);
    let row = 0;
${dotRows(6, 'sixes')}
${dotRows(4, 'rows')}
  }
}`;
}

/** The dot products of one column, up to row `end`. */
function dotRows(rows: number, end: string): string {
  return `
    for (; row < ${end}; row += ${rows}) {
${lines(rows, (r) => `const r${r} = <usize>min(row + ${r}, last) << 2;`)}
${lines(rows, (r) => `let c${r} = f32x4.splat(0);`)}
      let bp = packed;
      for (let s = 0; s < segments; s++) {
        const offset = a + load<u32>(segmentTable + (<usize>s << 3));
        const length = load<u32>(segmentTable + (<usize>s << 3), 4);
${lines(rows, (r) => `let a${r} = offset + load<u32>(aOffsets + r${r});`)}
        const end = a0 + ((length & ~3) << 2);
        while (a0 < end) {
          const w = v128.load(bp);
${lines(rows, (r) => `c${r} = multiplyAdd(v128.load(a${r}), w, c${r});`)}
${lines(rows, (r) => `a${r} += 16;`)}
          bp += 16;
        }
        const tail = length & 3;
        if (tail) {
          // What lies behind the segment may be anything: masked, since NaN · 0 is not 0.
          const mask = laneMask(tail);
          const w = v128.load(bp);
${lines(rows, (r) => `c${r} = multiplyAdd(v128.and(v128.load(a${r}), mask), w, c${r});`)}
          bp += 16;
        }
      }
${lines(
  rows,
  (r) => `const d${r} = start + sumLanes(c${r});
store<f32>(target + load<u32>(outOffsets + r${r}), relu && d${r} < 0 ? 0 : d${r});`,
)}
    }`;
}

/**
 * gradient[m][n] (+)= Σ_lines Σ_pixels big[line, pixel][m] · small[line, pixel][n].
 *
 * For one row of taps of the kernel: m runs over kw · bigChannels neighbouring floats of the big map, n over
 * the channels of the small one. Strides in bytes. Sums run over pixels, then lines, in order, from the value
 * that stands in `gradient`, or from 0 where `zeros` is the address of a row of zeros (of the tile's width):
 * blocks of lines and micro-batches do not change a bit.
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
        if (y != end) {
          do {
${outerProductStep(tile)}
            x += bigPixelStride;
            y += smallPixelStride;
          } while (y != end);
        }
        bigLine += bigLineStride;
        smallLine += smallLineStride;
      }
      if (width >= ${columns} && height >= ${rows}) {
${stores(tile, (r, v) => `v128.store(g${r}, c${r}_${v}, ${16 * v});`)}
      } else {
${lines(
  rows,
  (r) => `if (height > ${r}) {
${lines(vectors, (v) => `if (width > ${4 * v}) storeLanes(g${r} + ${16 * v}, c${r}_${v}, width - ${4 * v});`)}
}`,
)}
      }
    }
  }
}`;
}

/**
 * A dense layer's weight gradient over several shards: gradient[m][n] = tree over the shards of Σ_examples
 * big[example][m] · small[example][n], with the shards' sums added by the tree of treeReduce
 * (assembly/optimizer.ts). The same bits as filterGradient from zeros into a slot for each shard, and
 * treeReduce over the slots.
 *
 * `table` holds three u32 a shard: addresses of its first example in the big and in the small map, and bytes
 * from there to behind its last one in the small map; rows of the gradient begin `bigOffset` bytes into an
 * example of the big map. Pitches are bytes from example to example. `zeros` is the address of a row of zeros
 * of the tile's width, `stack` has room for as many tiles as the tree has levels, and one. [rows, columns],
 * without gaps.
 *
 * The tree works like a binary counter: with each trailing one of the shard's number a sum that waits on the
 * stack joins the one at hand; the last shard collects all that wait.
 */
function treeGradient(tile: Tile): string {
  const { rows, columns } = tile;
  const vectors = columns / 4;
  const bytes = rows * columns * 4;
  const place = (r: number, v: number) => 16 * (r * vectors + v);
  return `
export function treeGradient${rows}x${columns}(
  rows: i32, columns: i32, gradient: usize, bigOffset: i32, shards: i32, table: usize, bigPitch: i32, smallPitch: i32,
  zeros: usize, stack: usize,
): void {
  const pitch = <usize>columns << 2;
  const tableEnd = table + <usize>shards * 12;
  for (let column = 0; column < columns; column += ${columns}) {
    const width = columns - column;
    for (let row = 0; row < rows; row += ${rows}) {
      const height = rows - row;
      let top = stack;
      const rowOffset = bigOffset + (<usize>row << 2);
      let shard = 0;
      for (let entry = table; entry != tableEnd; entry += 12) {
        let x = load<u32>(entry) + rowOffset;
        let y = load<u32>(entry, 4) + (<usize>column << 2);
        const end = y + load<u32>(entry, 8);
${accumulators(tile, (r, v) => `let c${r}_${v} = v128.load(zeros, ${16 * v});`)}
        while (y != end) {
${outerProductStep(tile)}
          x += bigPitch;
          y += smallPitch;
        }
        shard++;
        const joined = shard == shards ? stack : top - <usize>ctz(shard) * ${bytes};
        while (top != joined) {
          top -= ${bytes};
${accumulators(tile, (r, v) => `c${r}_${v} = f32x4.add(v128.load(top, ${place(r, v)}), c${r}_${v});`)}
        }
${stores(tile, (r, v) => `v128.store(top, c${r}_${v}, ${place(r, v)});`)}
        top += ${bytes};
      }
      let g = gradient + <usize>row * pitch + (<usize>column << 2);
      let sum = stack;
      for (let r = min(height, ${rows}); r > 0; r--) {
        if (width >= ${columns}) {
${pairs(vectors, (v) => `v128.store(g, v128.load(sum, ${16 * v}), ${16 * v});`)}
        } else {
${lines(vectors, (v) => `if (width > ${4 * v}) storeLanes(g + ${16 * v}, v128.load(sum, ${16 * v}), width - ${4 * v});`)}
        }
        g += pitch;
        sum += ${columns * 4};
      }
    }
  }
}`;
}

/**
 * out[r] = tree over the groups of row r's list of Σ_terms factor · floats at address, ReLU on request: rows
 * of a product whose left operand is mostly zeros, given as lists of what is not (assembly/lists.ts has their
 * format, and who writes them).
 *
 * `outPitch` bytes from row to row of the result; `stack` has room for as many widths as the tree has levels.
 * At least a width of columns: the last block of columns moves back so that it ends with the row, and stores
 * some sums twice.
 *
 * One row at a time and many columns, since rows have different terms. Ten vectors, or pairs of them, hide
 * the latency of the additions; each is loaded for one multiply-add alone, so loads set the pace, and a sum
 * begins with its first product in place of a zero.
 */
function sumRows(width: number): string {
  const vectors = range(width / 4);
  const each = (line: (v: number) => string) => vectors.map(line).join('\n');
  const bytes = width * 4;
  return `
export function sumRows${width}(
  rows: i32, columns: i32, lists: usize, out: usize, outPitch: i32, stack: usize, relu: i32,
): void {
  for (let column = 0; column < columns; column += ${width}) {
    const place = <usize>min(column, columns - ${width}) << 2;
    let target = out + place;
    let term = lists;
    for (let row = 0; row < rows; row++) {
      let top = stack;
      while (true) {
        const end = term + 8 + <usize>((load<u32>(term) & 0xffffff) << 3);
        const waiting = load<u32>(end) >>> 24;
        const bottom = stack + <usize>(waiting - u32(waiting != 0)) * ${bytes};
        const s0 = v128.load32_splat(term, 8);
        const b0 = <usize>load<u32>(term, 12) + place;
${each((v) => `let c${v} = f32x4.mul(s0, v128.load(b0, ${16 * v}));`)}
        for (term += 16; term != end; term += 8) {
          const s = v128.load32_splat(term);
          const b = <usize>load<u32>(term, 4) + place;
${each((v) => `c${v} = multiplyAdd(s, v128.load(b, ${16 * v}), c${v});`)}
        }
        while (top != bottom) {
          top -= ${bytes};
${each((v) => `c${v} = f32x4.add(v128.load(top, ${16 * v}), c${v});`)}
        }
        if (waiting == 0) {
          if (relu) {
            const zero = f32x4.splat(0);
${each((v) => `c${v} = f32x4.pmax(c${v}, zero);`)}
          }
${pairs(width / 4, (v) => `v128.store(target, c${v}, ${16 * v});`)}
          break;
        }
${pairs(width / 4, (v) => `v128.store(top, c${v}, ${16 * v});`)}
        top += ${bytes};
      }
      target += outPitch;
    }
  }
}`;
}
