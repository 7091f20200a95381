import { UsageError } from '../errors.js';
import { Place, positiveInteger } from '../model/jsonReader.js';
import { countRows, requireResultSize } from './arguments.js';
import { LatentModel } from './latentModel.js';
import { normalQuantile } from './normalQuantile.js';

/**
 * Computes latent points on the straight line from each row of `from` to the same row of `to`, ends included.
 * @param from [n, latent].
 * @param to [n, latent].
 * @returns [n, steps, latent].
 * @throws UsageError where the two are not as many whole points, all finite.
 */
export function interpolate(
  from: Float32Array,
  to: Float32Array,
  latent: number,
  steps: number,
): Float32Array {
  const place = (name: string) => new Place('interpolate()', name);
  positiveInteger(latent, place('latent'));
  positiveInteger(steps, place('steps'));
  const n = countRows(from, latent, place('from'));
  if (countRows(to, latent, place('to')) !== n) {
    throw place('to').error(`holds ${to.length} values, expected ${from.length}, as many as from`);
  }
  requireResultSize(n * steps, latent, place('steps'));
  const points = new Float32Array(n * steps * latent);
  for (let row = 0; row < n; row++) {
    for (let step = 0; step < steps; step++) {
      const t = steps === 1 ? 0 : step / (steps - 1);
      for (let j = 0; j < latent; j++) {
        const a = from[row * latent + j]!;
        const b = to[row * latent + j]!;
        points[(row * steps + step) * latent + j] = a + t * (b - a);
      }
    }
  }
  return points;
}

/** A grid over a two-dimensional latent space and what the decoder makes of it. */
export interface Manifold {
  /** Coordinates along each axis: quantiles of N(0, 1) at (i + ½) / side. */
  readonly axis: readonly number[];
  /**
   * Means of p(x|z), [side, side, dimensions]: z₂ falls with the row (the axis points up), z₁ grows with the
   * column.
   */
  readonly means: Float32Array;
}

/**
 * Decodes a grid whose cells have equal probability under N(0, I), whatever the prior (Kingma and Welling
 * 2014, figure 4).
 * @param side points along each axis.
 * @throws UsageError where the latent space does not have two dimensions, or the grid would be too large.
 */
export function manifold(model: LatentModel, side: number): Manifold {
  if (!(model instanceof LatentModel)) {
    throw new Place('manifold()', 'model').expected(model, 'a LatentModel, as loadModel returns it');
  }
  positiveInteger(side, new Place('manifold()', 'side'));
  if (model.model.latent !== 2) {
    throw new UsageError(
      `A manifold is drawn over two latent dimensions, but the model ${model.model.name} has ${model.model.latent}. Train with --latent 2.`,
    );
  }
  requireResultSize(side ** 2, Math.max(2, model.model.dimensions), new Place('manifold()', 'side'));
  const axis = Array.from({ length: side }, (_, i) => normalQuantile((i + 0.5) / side));
  const z = new Float32Array(side * side * 2);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      z[(row * side + column) * 2] = axis[column]!;
      z[(row * side + column) * 2 + 1] = axis[side - 1 - row]!;
    }
  }
  return { axis, means: model.decode(z, { as: 'means' }) };
}
