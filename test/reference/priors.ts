// log p(z) − log N(z; 0, I) of rows of z, [n, K, d]: each prior in float64, with bounds and gradients.

import type { Model } from '#src/model/model.js';
import type { PriorName } from '#src/model/priors/registry.js';
import {
  type BoundedNumber,
  boundedProduct,
  boundedSum,
  exactNumber,
  numberAt,
  scaled,
  toBounded,
} from './boundedNumber.js';
import { type Arithmetic, type Bounded, float64 } from './rounding.js';

export interface ReferencePrior {
  /** For each row, nats. `bound` holds for an implementation in float64 on float32 numbers z. */
  excess(z: Bounded): Bounded;
  /** With respect to z, [n, K, d]. */
  excessGradient(z: Bounded): Bounded;
  /** d(−Σ_r weight_r log p(z_r))/d(parameter), in the order of the layout, rounded to float32 once. */
  parameterGradient(z: Bounded, weights: Bounded, arithmetic: Arithmetic): Bounded;
}

/** Undefined for N(0, I). */
export function referencePrior(model: Model, parameters: Float64Array): ReferencePrior | undefined {
  return references[model.prior.choice.name](model, parameters);
}

const references: {
  readonly [Name in PriorName]: (model: Model, parameters: Float64Array) => ReferencePrior | undefined;
} = {
  'standard-normal': () => undefined,
  mixture: (model, parameters) => mixture(model, parameters),
};

/** What is made of one row: its responsibilities, and how far those of an implementation may be off. */
interface Row {
  readonly logDensity: BoundedNumber;
  /** [components]. */
  readonly shares: readonly BoundedNumber[];
}

/** Operations on float64 for a number, generously: a sum of d · C terms, exp and log within some units. */
const DOUBLE_ROUNDINGS = 2 ** 10 * 2 ** -53;

function mixture({ latent, prior }: Model, parameters: Float64Array): ReferencePrior {
  const components = prior.choice.values.priorComponents!;
  const own = parameters.subarray(prior.offset, prior.offset + prior.size);
  const size = components * latent;
  const means = own.subarray(0, size);
  const variances = own.subarray(size, 2 * size).map(Math.exp);
  const logits = own.subarray(2 * size);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  const weights = logits.map((logit) => Math.exp(logit) / total);

  /** (z − m) / variance, dimension by dimension. */
  const slopeAt = (z: BoundedNumber, place: number): BoundedNumber => ({
    value: (z.value - means[place]!) / variances[place]!,
    bound: z.bound / variances[place]!,
  });

  const rowOf = (z: readonly BoundedNumber[]): Row => {
    let most = 0;
    const densities = Float64Array.from(weights, (weight, c) => {
      let density = weight;
      let error = 0;
      z.forEach(({ value, bound }, j) => {
        const [mean, variance] = [means[c * latent + j]!, variances[c * latent + j]!];
        density *= Math.exp(-((value - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
        error += (Math.abs(value - mean) * bound + bound ** 2 / 2) / variance;
      });
      most = Math.max(most, error);
      return density;
    });
    const sum = densities.reduce((a, b) => a + b, 0);
    // log Σ exp is moved by no more than the largest error of a term, a share by a factor of exp(±2 of it).
    const value = Math.log(sum);
    const logDensity = { value, bound: most + DOUBLE_ROUNDINGS * (1 + Math.abs(value)) };
    const factor = Math.expm1(2 * most) + DOUBLE_ROUNDINGS;
    const shares = Array.from(densities, (density) => {
      return { value: density / sum, bound: (density / sum) * factor };
    });
    return { logDensity, shares };
  };

  const rowsOf = (z: Bounded) =>
    Array.from({ length: z.value.length / latent }, (_, row) => {
      const points = Array.from({ length: latent }, (_, j) => numberAt(z, row * latent + j));
      return { points, ...rowOf(points) };
    });

  return {
    excess: (z) =>
      toBounded(
        rowsOf(z).map(({ points, logDensity }) => {
          let { value, bound } = logDensity;
          for (const point of points) {
            value += (point.value ** 2 + Math.log(2 * Math.PI)) / 2;
            bound += Math.abs(point.value) * point.bound + point.bound ** 2 / 2;
          }
          return { value, bound: bound + DOUBLE_ROUNDINGS * (1 + Math.abs(value)) };
        }),
      ),
    excessGradient: (z) =>
      toBounded(
        rowsOf(z).flatMap(({ points, shares }) =>
          points.map((point, j) => {
            const pulls = shares.map((share, c) =>
              boundedProduct(share, scaled(slopeAt(point, c * latent + j), -1), float64),
            );
            return boundedSum([...pulls, point], float64);
          }),
        ),
      ),
    parameterGradient: (z, rowWeights, arithmetic) => {
      const terms = Array.from(own, (): BoundedNumber[] => []);
      rowsOf(z).forEach(({ points, shares }, row) => {
        const weight = numberAt(rowWeights, row);
        const add = (place: number, slope: BoundedNumber) =>
          terms[place]!.push(scaled(boundedProduct(weight, slope, float64), -1));
        shares.forEach((share, c) => {
          points.forEach((point, j) => {
            const place = c * latent + j;
            const slope = slopeAt(point, place);
            const distance = { value: point.value - means[place]!, bound: point.bound };
            const square = boundedSum([boundedProduct(distance, slope, float64), exactNumber(-1)], float64);
            add(place, boundedProduct(share, slope, float64));
            add(size + place, boundedProduct(share, scaled(square, 1 / 2), float64));
          });
          add(2 * size + c, boundedSum([share, exactNumber(-weights[c]!)], float64));
        });
      });
      const round = ({ value, bound }: BoundedNumber) => ({
        value,
        bound: bound + arithmetic.unit * (Math.abs(value) + bound) + arithmetic.underflow,
      });
      return toBounded(terms.map((list) => round(boundedSum(list, float64))));
    },
  };
}
