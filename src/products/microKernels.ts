import type { Kernels } from '../kernels/kernels.js';
import {
  type LIST_WIDTHS,
  TILES,
  type Tile,
  type TileName,
  TRANSPOSED_TILES,
} from '../kernels/tiles/tile.js';
import { FEW_TRANSPOSED_ROWS, MOST_TALL_WASTE } from '../kernels/tuning.js';

/** The micro-kernels of every tile: tiles/source.ts has what they compute. */
export type GemmKernel = Kernels['gemm4x8'];
/** The same with B where it stands. */
export type InPlaceGemmKernel = Kernels['gemmInPlace4x8'];
/** For few rows, by a matrix that stands transposed; at least as many columns as the tile has. */
export type TransposedGemmKernel = Kernels['gemmTransposed4x8'];
export type FilterGradientKernel = Kernels['filterGradient4x8'];
export type TreeGradientKernel = Kernels['treeGradient4x8'];
export type SumRowsKernel = Kernels['sumRows40'];

/**
 * The kernels with a tile chosen. The panels' width is the tile's; a gradient's height may be cut from 6 rows
 * to 4 where that wastes less of the last tile, since tiles do not differ in a bit. GEMMs do so by
 * themselves, tile by tile.
 */
export class MicroKernels {
  readonly gemm: GemmKernel;
  readonly gemmInPlace: InPlaceGemmKernel;
  readonly dot: GemmKernel;
  readonly tile: Tile;
  /** The kernel for products of at least `listWidth` columns. */
  readonly sumRows: SumRowsKernel;
  readonly listWidth: (typeof LIST_WIDTHS)[number];
  /** The kernel for panels half as wide, where the tile has them. */
  readonly gemmInPlaceNarrow: InPlaceGemmKernel;
  readonly #tall: boolean;
  readonly #filter4: FilterGradientKernel;
  readonly #filter6: FilterGradientKernel;
  readonly #tree4: TreeGradientKernel;
  readonly #tree6: TreeGradientKernel;

  constructor(
    readonly kernels: Kernels,
    name: TileName,
  ) {
    this.tile = TILES[name];
    this.gemm = kernels[`gemm${name}`];
    this.gemmInPlace = kernels[`gemmInPlace${name}`];
    this.dot = kernels.gemmDot4;
    this.#tall = this.tile.rows === 6;
    const wide = this.tile.columns === 16;
    this.listWidth = wide ? 80 : 40;
    this.sumRows = kernels[`sumRows${this.listWidth}`];
    this.gemmInPlaceNarrow = this.#tall ? kernels.gemmInPlace6x8 : kernels.gemmInPlace4x8;
    this.#filter4 = wide ? kernels.filterGradient4x16 : kernels.filterGradient4x8;
    this.#filter6 = wide ? kernels.filterGradient6x16 : kernels.filterGradient6x8;
    this.#tree4 = wide ? kernels.treeGradient4x16 : kernels.treeGradient4x8;
    this.#tree6 = wide ? kernels.treeGradient6x16 : kernels.treeGradient6x8;
  }

  /** The number of columns behind the last whole panel, if they fill no more than half of another. */
  narrowRest(columns: number): number {
    const rest = columns % this.tile.columns;
    return this.tile.columns === 16 && rest <= 8 ? rest : 0;
  }

  /**
   * The number of rows behind the last whole panel (of rows, as columns of the transposed product), if
   * gemmTransposed to so many columns is faster for them than a panel.
   */
  transposedRest(rows: number, columns: number): number {
    const rest = rows % this.tile.columns;
    return rest <= FEW_TRANSPOSED_ROWS[this.tile.columns] && columns >= TRANSPOSED_TILES['2x16'].columns
      ? rest
      : 0;
  }

  gemmTransposed(rows: number): TransposedGemmKernel {
    return rows <= 2 ? this.kernels.gemmTransposed2x16 : this.kernels.gemmTransposed4x8;
  }

  filterGradient(rows: number): FilterGradientKernel {
    return this.#tall && !wastes(rows) ? this.#filter6 : this.#filter4;
  }

  treeGradient(rows: number): TreeGradientKernel {
    return this.#tall && !wastes(rows) ? this.#tree6 : this.#tree4;
  }
}

/**
 * Whether tiles of six rows compute so many unused rows that tiles of four are faster (by a fifth a row,
 * about).
 */
function wastes(rows: number): boolean {
  return Math.ceil(rows / 6) * 6 > MOST_TALL_WASTE * Math.ceil(rows / 4) * 4;
}
