// Bias and variance of estimators of the encoder's gradient, at the same parameters and on the same noise.
import { NotFiniteError, UsageError } from '../errors.js';
import type { Platform } from '../kernels/platform.js';
import { Purpose, type RandomKey } from '../kernels/stream.js';
import type { Choice } from '../model/hyperparameter.js';
import type { LikelihoodName } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';
import type { PriorName } from '../model/priors/registry.js';
import {
  ESTIMATORS,
  type EstimatorName,
  estimatorOf,
  klEstimatesOf,
} from '../objective/estimators/registry.js';
import type { KlEstimate } from '../objective/objective.js';
import type { ObjectiveName } from '../objective/registry.js';
import type { Figures } from './estimates/estimate.js';
import { KernelRandom } from './kernelRandom.js';
import { createLatentEngine, type LatentEngine } from './latentEngine.js';

/** The jackknife leaves out one block of draws after the other. */
const BLOCKS = 20;

/** Where one is left out, two must be left. */
const FEWEST_BLOCKS = 3;

export const FEWEST_DRAWS = FEWEST_BLOCKS;

/** What is compared, besides model and examples. It can be sent to a thread. */
export interface ComparisonSettings {
  readonly objective: ObjectiveName;
  /** K. */
  readonly samples: number;
  /** Weight of the KL. */
  readonly beta: number;
  /** Gradients of each estimator; FEWEST_DRAWS or more. */
  readonly draws: number;
}

/** A way to the gradient: the KL may be analytic in one of them alone. */
export interface GradientVariant {
  readonly estimator: EstimatorName;
  readonly kl: KlEstimate;
}

/** Those that objective, K draws and prior have. The first is what a run takes that asks for nothing. */
export function comparedVariants(
  objective: ObjectiveName,
  samples: number,
  prior: PriorName,
): readonly GradientVariant[] {
  const names = Object.keys(ESTIMATORS) as EstimatorName[];
  return names
    .filter((name) => samples >= estimatorOf(name).leastSamples)
    .flatMap((estimator) => klEstimatesOf(objective, estimator, prior).map((kl) => ({ estimator, kl })));
}

/** Blocks of draws: a function of their number alone. */
export function countBlocks(draws: number): number {
  return Math.min(draws, BLOCKS);
}

/** The draws of a block. */
export function drawsOfBlock(block: number, draws: number): { readonly first: number; readonly end: number } {
  const start = (index: number) => Math.floor((index * draws) / countBlocks(draws));
  return { first: start(block), end: start(block + 1) };
}

/** What the sums of all blocks may take. */
const MOST_BYTES = 2 ** 32;

/** @throws UsageError where the sums of all blocks would take more than 4 GiB. */
export function requireComparable(model: Model, { objective, samples, draws }: ComparisonSettings): void {
  const vectors = comparedVariants(objective, samples, model.prior.choice.name).length * countBlocks(draws);
  const bytes = vectors * encoderSize(model) * Float64Array.BYTES_PER_ELEMENT;
  if (bytes <= MOST_BYTES) return;
  throw new UsageError(
    `The encoder of ${model.name} has ${encoderSize(model)} parameters. To compare estimators, ${vectors} sums of its ` +
      `gradient have to be kept, which are ${(bytes / 2 ** 30).toFixed(1)} GiB: more than the 4 GiB that there may be.`,
  );
}

/** The encoder's parameters stand first. */
function encoderSize(model: Model): number {
  const ofDecoder = model.parameters.entries.filter(({ name }) => name.startsWith('decoder'));
  return Math.min(model.parameters.size, ...ofDecoder.map(({ offset }) => offset));
}

export interface GradientSumsOptions {
  readonly model: Model;
  /** Flat. */
  readonly parameters: Float32Array;
  readonly likelihood: Choice<LikelihoodName>;
  readonly platform: Platform;
  readonly key: RandomKey;
  /** [n, dimensions]; the gradient is that of their mean loss. */
  readonly x: Float32Array;
  /** [n]: the examples' places in the test set, which their noise is a function of. */
  readonly positions: readonly number[];
  readonly settings: ComparisonSettings;
}

/**
 * Gradients by all variants, on one thread, with an engine for each. The sums of a block are a pure function
 * of (parameters, x, positions, seed, settings, block).
 */
export class GradientSums {
  readonly #options: GradientSumsOptions;
  readonly #variants: readonly GradientVariant[];
  readonly #engines: readonly LatentEngine[];
  readonly #random: KernelRandom;
  readonly #size: number;
  readonly #epsilon: Float32Array;

  /** @throws UsageError where that needs more memory than there can be. */
  constructor(options: GradientSumsOptions) {
    const { model, parameters, likelihood, platform, key, x, positions, settings } = options;
    const { objective, samples } = settings;
    this.#options = options;
    this.#variants = comparedVariants(objective, samples, model.prior.choice.name);
    this.#size = encoderSize(model);
    this.#random = new KernelRandom(platform.module, key);
    this.#epsilon = new Float32Array(positions.length * samples * model.latent);
    this.#engines = this.#variants.map(({ estimator, kl }) => {
      const chunk = positions.length;
      const own = { platform, model, likelihood, samples, kl, chunk, objective, estimator };
      const engine = createLatentEngine(own);
      engine.setParameters(parameters);
      engine.write(engine.x, x);
      return engine;
    });
  }

  /**
   * Sums over the draws of some blocks, float64, one block after the other. g is the gradient of variant v,
   * g₀ that of the first variant.
   * - `sum.v`, [blocks, encoder's parameters]: Σ (g − g₀), and Σ g₀ for the first variant.
   * - `square.v`, [blocks]: Σ ‖g‖².
   * - `differenceSquare.v`, [blocks]: Σ ‖g − g₀‖², and Σ ‖g₀‖² for the first variant.
   * @param onShare called with the share of the work that is done, 0 to 1.
   * @throws NotFiniteError where a gradient is NaN or infinite.
   */
  ofBlocks(blocks: readonly number[], onShare: (share: number) => void = () => {}): Figures {
    const { draws } = this.#options.settings;
    const figures: Record<string, Float64Array> = {};
    this.#variants.forEach((_, v) => {
      figures[`sum.${v}`] = new Float64Array(blocks.length * this.#size);
      figures[`square.${v}`] = new Float64Array(blocks.length);
      figures[`differenceSquare.${v}`] = new Float64Array(blocks.length);
    });
    const total = blocks.reduce((sum, block) => {
      const { first, end } = drawsOfBlock(block, draws);
      return sum + (end - first) * this.#variants.length;
    }, 0);
    let done = 0;
    blocks.forEach((block, row) => {
      const { first, end } = drawsOfBlock(block, draws);
      for (let draw = first; draw < end; draw++) {
        this.#addDraw(draw, row, figures, () => onShare(++done / total));
      }
    });
    return figures;
  }

  #addDraw(draw: number, row: number, figures: Record<string, Float64Array>, onGradient: () => void): void {
    const { positions, settings } = this.#options;
    this.#drawNoise(draw);
    const usual = new Float64Array(this.#size);
    this.#engines.forEach((engine, v) => {
      engine.write(engine.epsilon, this.#epsilon);
      const gradient = engine.gradientSum(positions.length, settings.beta);
      const sum = figures[`sum.${v}`]!.subarray(row * this.#size, (row + 1) * this.#size);
      let [square, differenceSquare] = [0, 0];
      for (let i = 0; i < sum.length; i++) {
        const value = gradient[i]! / positions.length;
        const added = value - usual[i]!;
        square += value * value;
        differenceSquare += added * added;
        sum[i]! += added;
        if (v === 0) usual[i] = value;
      }
      if (!Number.isFinite(square)) {
        const { estimator } = this.#variants[v]!;
        throw new NotFiniteError(`The ${estimator} gradient of draw ${draw} is not finite.`);
      }
      figures[`square.${v}`]![row]! += square;
      figures[`differenceSquare.${v}`]![row]! += differenceSquare;
      onGradient();
    });
  }

  /** [n, K, latent], the noise of a draw: of each example a row of its own. */
  #drawNoise(draw: number): void {
    const { model, positions, settings } = this.#options;
    const width = settings.samples * model.latent;
    positions.forEach((position, i) => {
      const row = this.#epsilon.subarray(i * width, (i + 1) * width);
      this.#random.normal(row, position, draw, Purpose.estimatorNoise);
    });
  }
}

// Loops over millions of numbers: callbacks and iterators would take seconds.

function addTo(total: Float64Array, values: Float64Array): void {
  for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}

/** Estimated without bias; the standard error is a jackknife over the blocks of draws. */
export interface MeasuredMoment {
  readonly value: number;
  readonly standardError: number;
}

/** Figures of the gradient g in the encoder's parameters: nats², as parameters have no unit. */
export interface EstimatorFigures extends GradientVariant {
  /** Sum over the parameters of the variance of a single gradient of the mean loss. */
  readonly variance: MeasuredMoment;
  /**
   * ‖E[g] − E[the first one's g]‖², by differences on the same noise; it may come out below 0. Absent for
   * the first one, which has no bias.
   */
  readonly squaredBias?: MeasuredMoment;
}

export interface EstimatorComparison {
  /** ‖E[the first one's g]‖². */
  readonly squaredNorm: MeasuredMoment;
  /** Empty where the work was stopped before enough draws were done. */
  readonly figures: readonly EstimatorFigures[];
}

/** The figures from the sums of the first `blocks` blocks (GradientSums); of fewer than three none. */
export function comparisonOf(
  sums: Figures,
  blocks: number,
  { objective, samples, draws }: ComparisonSettings,
  prior: PriorName,
): EstimatorComparison {
  if (blocks < FEWEST_BLOCKS) {
    return { squaredNorm: { value: Number.NaN, standardError: Number.NaN }, figures: [] };
  }
  const counts = Float64Array.from({ length: blocks }, (_, block) => {
    const { first, end } = drawsOfBlock(block, draws);
    return end - first;
  });
  const usual = sums['sum.0']!;
  const momentsOf = (sum: Float64Array, square: Float64Array) => new BlockMoments(counts, sum, square);
  const reference = momentsOf(usual, sums['square.0']!);
  return {
    squaredNorm: reference.squaredMean(),
    figures: comparedVariants(objective, samples, prior).map((variant, v) => {
      if (v === 0) return { ...variant, variance: reference.variance() };
      const difference = sums[`sum.${v}`]!;
      const own = difference.slice();
      addTo(own, usual);
      return {
        ...variant,
        variance: momentsOf(own, sums[`square.${v}`]!).variance(),
        squaredBias: momentsOf(difference, sums[`differenceSquare.${v}`]!).squaredMean(),
      };
    }),
  };
}

/** Counts, Σ ‖g‖² and ‖Σ g‖² of all blocks, or of all but one. */
interface Sums {
  readonly count: number;
  readonly square: number;
  readonly ofSum: number;
}

class BlockMoments {
  readonly #whole: Sums;
  readonly #without: readonly Sums[];

  /**
   * @param counts [blocks], of vectors.
   * @param sums [blocks, size].
   * @param squares [blocks].
   */
  constructor(counts: Float64Array, sums: Float64Array, squares: Float64Array) {
    const blocks = counts.length;
    const size = sums.length / blocks;
    const total = new Float64Array(size);
    const rowOf = (block: number) => sums.subarray(block * size, (block + 1) * size);
    for (let block = 0; block < blocks; block++) addTo(total, rowOf(block));
    const add = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
    const [count, square] = [add(counts), add(squares)];
    this.#whole = { count, square, ofSum: squaredDistance(total, new Float64Array(size)) };
    this.#without = Array.from(counts, (own, block) => {
      const ofSum = squaredDistance(total, rowOf(block));
      return { count: count - own, square: square - squares[block]!, ofSum };
    });
  }

  /** Sum of the elements' variances. */
  variance(): MeasuredMoment {
    return this.#measured(({ count, square, ofSum }) => (square - ofSum / count) / (count - 1));
  }

  /** ‖mean‖², from products of different draws alone. */
  squaredMean(): MeasuredMoment {
    return this.#measured(({ count, square, ofSum }) => (ofSum - square) / (count * (count - 1)));
  }

  #measured(of: (sums: Sums) => number): MeasuredMoment {
    const values = this.#without.map(of);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const standardError = Math.sqrt(((values.length - 1) / values.length) * spread);
    return { value: of(this.#whole), standardError };
  }
}
