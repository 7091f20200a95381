// The seam of estimates: what is computed for each example of a trained model, over chunks of examples.
import type { RandomKey } from '../../kernels/stream.js';
import type { ConditionalDensity } from '../../sampling/conditionalDensity.js';
import type { RandomRows } from '../../sampling/randomRows.js';
import type { InferenceModel } from '../inferenceModel.js';
import type { Posterior } from '../posterior.js';
import type { PosteriorRow } from '../posteriorRow.js';

/** Some examples, and what their figures depend on besides the options. */
export interface ExampleChunk {
  readonly model: InferenceModel;
  readonly key: RandomKey;
  /** [positions.length, dimensions]. */
  readonly x: Float32Array;
  /** Places in the test set: random numbers are a function of them. */
  readonly positions: readonly number[];
  /** Called after each evaluation of p(x|z) with its work: 1 for a row, 2 for a row with its gradient. */
  readonly onWork?: (work: number) => void;
}

/** Figures by name, each [count] or [count, width]. */
export type Figures = Readonly<Record<string, Float64Array>>;

/** A pure function of (parameters, x, seed, position, options): the split into chunks decides no bit. */
export interface Estimate<Options> {
  /** The work of one example, as `onWork` is told of it. */
  readonly work: (options: Options) => number;
  readonly figures: (chunk: ExampleChunk, options: Options) => Figures;
}

/** p(x|z) of images, `chains` rows each; its evaluations are the chunk's work. */
export function condition(
  { model, onWork }: ExampleChunk,
  x: Float32Array,
  chains: number,
): ConditionalDensity {
  const density = model.condition(x, chains);
  if (onWork === undefined) return density;
  const evaluate = (rows: number, withGradient: boolean) => {
    density.evaluate(rows, withGradient);
    onWork(withGradient ? 2 * rows : rows);
  };
  return { ...density, evaluate };
}

/** One example, with what an estimate from draws of q(z|x) takes. */
export interface EncodedExample {
  readonly density: ConditionalDensity;
  readonly posterior: PosteriorRow;
  readonly random: RandomRows;
  readonly position: number;
}

/**
 * The examples of a chunk one by one.
 * @param rows of each one's density.
 */
export function* encodedExamples(chunk: ExampleChunk, rows: number): Generator<EncodedExample> {
  const { model, key, x, positions } = chunk;
  const { dimensions, latent } = model.model;
  const random = model.random(key);
  const q = model.encode(x);
  for (const [i, position] of positions.entries()) {
    const own = x.subarray(i * dimensions, (i + 1) * dimensions);
    yield { density: condition(chunk, own, rows), posterior: rowOf(q, i, latent), random, position };
  }
}

function rowOf({ mu, logvar }: Posterior, row: number, latent: number): PosteriorRow {
  const own = (values: Float32Array) => values.slice(row * latent, (row + 1) * latent);
  return { mu: own(mu), logvar: own(logvar) };
}
