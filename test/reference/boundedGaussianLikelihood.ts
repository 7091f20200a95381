// gaussianLikelihood.ts with bounds.

import {
  type BoundedNumber,
  boundedProduct,
  boundedSum,
  exactNumber,
  numberAt,
  scaled,
  toBounded,
} from './boundedNumber.js';
import type { Arithmetic, Bounded } from './rounding.js';

/** m − x at a place of the means [n, K, D]. */
function differenceAt(
  means: Bounded,
  index: number,
  x: Float64Array,
  samples: number,
  dimensions: number,
  arithmetic: Arithmetic,
): BoundedNumber {
  const example = Math.floor(index / (samples * dimensions));
  const pixel = x[example * dimensions + (index % dimensions)]!;
  return boundedSum([numberAt(means, index), exactNumber(-pixel)], arithmetic);
}

/**
 * The terms −½ (x − m)² / σ² / K and −log(σ √(2π)) / K of each sample and pixel, summed in any order, [n].
 */
export function boundedGaussianLogLikelihood(
  means: Bounded,
  x: Float64Array,
  samples: number,
  dimensions: number,
  arithmetic: Arithmetic,
  sigma: number,
): Bounded {
  const normaliser = Math.log(sigma * Math.sqrt(2 * Math.PI));
  const width = samples * dimensions;
  const sums: BoundedNumber[] = [];
  for (let first = 0; first < means.value.length; first += width) {
    const terms: BoundedNumber[] = [];
    for (let index = first; index < first + width; index++) {
      const difference = differenceAt(means, index, x, samples, dimensions, arithmetic);
      const square = boundedProduct(difference, difference, arithmetic);
      terms.push(scaled(square, -1 / (2 * sigma ** 2 * samples)), exactNumber(-normaliser / samples));
    }
    sums.push(boundedSum(terms, arithmetic));
  }
  return toBounded(sums);
}

/** scale · (m − x) / σ², [n, K, D]. */
export function boundedGaussianSlope(
  means: Bounded,
  x: Float64Array,
  samples: number,
  dimensions: number,
  scale: number,
  arithmetic: Arithmetic,
  sigma: number,
): Bounded {
  return toBounded(
    Array.from(means.value, (_, index) => {
      const difference = differenceAt(means, index, x, samples, dimensions, arithmetic);
      // The factor's own roundings are those of a sum of one.
      return boundedSum([scaled(difference, scale / sigma ** 2)], arithmetic);
    }),
  );
}
