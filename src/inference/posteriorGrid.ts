import { expNegative } from '../arithmetic/exponential.js';
import type { ConditionalDensity } from '../sampling/conditionalDensity.js';

/** A square of a latent plane. */
export interface PlaneSquare {
  readonly middle: readonly [number, number];
  /** Half a side. */
  readonly reach: number;
}

/**
 * p(z|x) over its largest value, at the middles of side × side equal cells of a square, z1 growing with the
 * column and z2 with the row.
 * @param density of one example, d = 2.
 * @returns [side, side], 0 to 1; all NaN where the density is nowhere finite.
 */
export function posteriorGrid(
  density: ConditionalDensity,
  { middle, reach }: PlaneSquare,
  side: number,
): Float64Array {
  const logs = new Float64Array(side * side);
  const at = (axis: 0 | 1, cell: number) => middle[axis] + reach * ((2 * cell + 1) / side - 1);
  for (let first = 0; first < logs.length; first += density.rows) {
    const count = Math.min(density.rows, logs.length - first);
    for (let row = 0; row < count; row++) {
      density.z[2 * row] = at(0, (first + row) % side);
      density.z[2 * row + 1] = at(1, Math.floor((first + row) / side));
    }
    density.evaluate(count, false);
    for (let row = 0; row < count; row++) {
      logs[first + row] = density.logLikelihood[row]! + density.prior.logDensity(density.z, row);
    }
  }
  const most = logs.reduce((a, b) => (b > a ? b : a), Number.NEGATIVE_INFINITY);
  return logs.map((value) => expNegative(value - most));
}

/** The square that holds all points, [n, 2], with a margin of a tenth on each side. */
export function squareAround(points: Float32Array): PlaneSquare {
  const low: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  points.forEach((value, i) => {
    const axis = (i % 2) as 0 | 1;
    low[axis] = Math.min(low[axis], value);
    high[axis] = Math.max(high[axis], value);
  });
  return {
    middle: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2],
    reach: 0.6 * Math.max(high[0] - low[0], high[1] - low[1]),
  };
}

/** Cells along each side in the search. */
const COARSE = 24;
/** Density at the edge, over the largest one, that is taken for none. */
const FAINT = 0.01;
const GROWTH = 1.5;
const MOST_GROWTHS = 8;

/** The square, or a larger one with the same middle, at whose edge p(z|x) has fallen to nothing. */
export function squareWithPosterior(density: ConditionalDensity, square: PlaneSquare): PlaneSquare {
  let { reach } = square;
  for (let i = 0; i < MOST_GROWTHS; i++) {
    const grid = posteriorGrid(density, { ...square, reach }, COARSE);
    const onEdge = grid.filter((_, cell) => {
      const [row, column] = [Math.floor(cell / COARSE), cell % COARSE];
      return [row, column].some((place) => place === 0 || place === COARSE - 1);
    });
    if (!onEdge.some((value) => value > FAINT)) break;
    reach *= GROWTH;
  }
  return { ...square, reach };
}
