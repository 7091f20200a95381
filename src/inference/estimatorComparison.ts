// Bias and variance of estimators of the encoder's gradient, at the same parameters and on the same noise.
import { Arena } from '../kernels/arena.js';
import { bindKernels, compileKernels } from '../kernels/kernels.js';
import { Purpose, randomKey } from '../kernels/stream.js';
import { sharedMemory } from '../kernels/webAssembly.js';
import { ESTIMATORS, type EstimatorName, estimatorOf } from '../objective/estimators/registry.js';
import type { ObjectiveName } from '../objective/registry.js';
import type { LatentModel } from './latentModel.js';

const PAGE = 65536;

export interface ComparisonOptions {
  readonly model: LatentModel;
  /** [n, dimensions]; the gradient is that of their mean loss. */
  readonly x: Float32Array;
  readonly objective: ObjectiveName;
  /** K. */
  readonly samples: number;
  /** Gradients of each estimator; 2 or more. */
  readonly draws: number;
  readonly seed: number | bigint;
  readonly onProgress?: (done: number, count: number) => void;
}

/** Of the gradient with respect to the encoder's parameters, g. */
export interface EstimatorFigures {
  readonly estimator: EstimatorName;
  /** Sum over the parameters of the variance of a single gradient of the mean loss. */
  readonly variance: number;
  /**
   * Estimate without bias of ‖E[g] − E[reparameterised g]‖², by differences on the same noise; it may come
   * out below 0. Its standard error is a jackknife over the draws. Absent for the reparameterised gradient.
   */
  readonly squaredBias?: { readonly value: number; readonly standardError: number };
}

export interface EstimatorComparison {
  /** ‖E[reparameterised g]‖², estimated without bias. */
  readonly squaredNorm: number;
  readonly figures: readonly EstimatorFigures[];
}

/** Those that K draws are enough for. */
export function comparableEstimators(samples: number): EstimatorName[] {
  const names = Object.keys(ESTIMATORS) as EstimatorName[];
  return names.filter((name) => samples >= estimatorOf(name).leastSamples);
}

export function compareEstimators(options: ComparisonOptions): EstimatorComparison {
  const { model, x, objective, samples, draws, onProgress } = options;
  const examples = x.length / model.model.dimensions;
  const noise = noiseSource(examples, samples * model.model.latent, options.seed);
  const parameters = model.parameters;
  const [usual, ...others] = comparableEstimators(samples);
  const size = encoderSize(model);
  const reference = new Moments(size, draws);
  const rows = others.map((estimator) => ({
    estimator,
    gradient: new Moments(size, draws),
    difference: new Moments(size, draws),
  }));
  for (let draw = 0; draw < draws; draw++) {
    const epsilon = noise(draw);
    const gradientOf = (estimator: EstimatorName) =>
      model
        .elboGradients(parameters, x, epsilon, { objective, estimator, kl: 'monteCarlo' })
        .gradient.subarray(0, size);
    const expected = Float64Array.from(gradientOf(usual!));
    reference.add(expected);
    for (const { estimator, gradient, difference } of rows) {
      const values = Float64Array.from(gradientOf(estimator));
      gradient.add(values);
      difference.add(values.map((value, i) => value - expected[i]!));
    }
    onProgress?.(draw + 1, draws);
  }
  return {
    squaredNorm: reference.squaredMean().value,
    figures: [
      { estimator: usual!, variance: reference.variance() },
      ...rows.map(({ estimator, gradient, difference }) => ({
        estimator,
        variance: gradient.variance(),
        squaredBias: difference.squaredMean(),
      })),
    ],
  };
}

/** Blocks of draws that the jackknife leaves out in turn. */
const BLOCKS = 10;

/** Moments of vectors, in blocks of draws. */
class Moments {
  readonly #sums: Float64Array[];
  readonly #squares = new Float64Array(BLOCKS);
  readonly #counts = new Float64Array(BLOCKS);
  #added = 0;

  constructor(
    readonly size: number,
    readonly draws: number,
  ) {
    this.#sums = Array.from({ length: BLOCKS }, () => new Float64Array(size));
  }

  add(values: Float64Array): void {
    const block = Math.floor((this.#added * BLOCKS) / this.draws);
    const sum = this.#sums[block]!;
    let square = 0;
    for (let i = 0; i < values.length; i++) {
      sum[i]! += values[i]!;
      square += values[i]! * values[i]!;
    }
    this.#squares[block]! += square;
    this.#counts[block]! += 1;
    this.#added += 1;
  }

  /** Sum of the elements' variances. */
  variance(): number {
    const { count, square, ofSum } = this.#without(undefined);
    return (square - ofSum / count) / (count - 1);
  }

  /** ‖mean‖², from products of different draws alone. */
  squaredMean(): { readonly value: number; readonly standardError: number } {
    const at = (left: number | undefined) => {
      const { count, square, ofSum } = this.#without(left);
      return (ofSum - square) / (count * (count - 1));
    };
    const filled = [...this.#counts.keys()].filter((block) => this.#counts[block]! > 0);
    const values = filled.map(at);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const standardError = Math.sqrt(((values.length - 1) / values.length) * spread);
    return { value: at(undefined), standardError };
  }

  /** Count, Σ ‖g‖² and ‖Σ g‖² of all blocks but one. */
  #without(left: number | undefined) {
    let [count, square, ofSum] = [0, 0, 0];
    for (let block = 0; block < BLOCKS; block++) {
      if (block === left) continue;
      count += this.#counts[block]!;
      square += this.#squares[block]!;
    }
    for (let i = 0; i < this.size; i++) {
      let sum = 0;
      for (let block = 0; block < BLOCKS; block++) if (block !== left) sum += this.#sums[block]![i]!;
      ofSum += sum * sum;
    }
    return { count, square, ofSum };
  }
}

/** The encoder's parameters stand first. */
function encoderSize({ model }: LatentModel): number {
  const ofDecoder = model.parameters.entries.filter(({ name }) => name.startsWith('decoder'));
  return Math.min(model.parameters.size, ...ofDecoder.map(({ offset }) => offset));
}

/** [rows, width] standard normals of each draw. */
function noiseSource(rows: number, width: number, seed: number | bigint): (draw: number) => Float32Array {
  const arena = new Arena(0);
  const scratch = arena.reserve(64);
  const out = arena.floats(rows * width);
  const memory = sharedMemory(Math.ceil(arena.end / PAGE));
  const kernels = bindKernels(compileKernels('portable'), memory);
  const { low: key0, high: key1 } = randomKey(BigInt(seed));
  const purpose = Purpose.estimatorNoise;
  return (step) => {
    kernels.randomNormal({ out, rows, count: width, key0, key1, position: 0, step, purpose, scratch });
    return new Float32Array(memory.buffer, out, rows * width).slice();
  };
}
