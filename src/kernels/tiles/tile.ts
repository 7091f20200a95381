/**
 * Rows × columns of accumulators that a micro-kernel keeps in registers. Tiles differ in speed, never in a
 * bit.
 */
export interface Tile {
  readonly rows: 2 | 4 | 6;
  /** Also the width of a panel of packed weights. */
  readonly columns: 8 | 16;
}

export type TileName = '4x8' | '6x8' | '4x16' | '6x16';

export const TILES: Readonly<Record<TileName, Tile>> = {
  '4x8': { rows: 4, columns: 8 },
  '6x8': { rows: 6, columns: 8 },
  '4x16': { rows: 4, columns: 16 },
  '6x16': { rows: 6, columns: 16 },
};

/** For gemmTransposed: lanes lie along its columns, so that a product of few rows uses them all. */
export type TransposedTileName = '2x16' | '4x8';

export const TRANSPOSED_TILES: Readonly<Record<TransposedTileName, Tile>> = {
  '2x16': { rows: 2, columns: 16 },
  '4x8': { rows: 4, columns: 8 },
};

/** Columns of a row that sumRows keeps in registers: ten of 128 bits, or ten pairs. */
export const LIST_WIDTHS = [40, 80] as const;

/** Columns of the widest tile, and so of the widest panel of packed weights. */
export const WIDEST_PANEL = Math.max(...Object.values(TILES).map(({ columns }) => columns));

export const TILE_NAMES = Object.keys(TILES) as readonly TileName[];

export const TRANSPOSED_TILE_NAMES = Object.keys(TRANSPOSED_TILES) as readonly TransposedTileName[];
