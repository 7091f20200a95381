// Generated from the declarations in src/kernels/assembly and src/kernels/tiles/source.ts by `npm run generate:bindings`.

import type { Address, Quantity } from './address.js';

export interface AdamArguments {
  readonly parameters: Address;
  readonly m: Address;
  readonly v: Address;
  readonly gradient: Address;
  readonly count: Quantity;
  readonly scale: Quantity;
  readonly beta1: Quantity;
  readonly oneMinusBeta1: Quantity;
  readonly beta2: Quantity;
  readonly oneMinusBeta2: Quantity;
  readonly stepSize: Quantity;
  readonly rootCorrection: Quantity;
  readonly epsilon: Quantity;
}

export interface AdamStepArguments {
  readonly x: Address;
  readonly gradient: Address;
  readonly m: Address;
  readonly v: Address;
  readonly count: Quantity;
  readonly beta1: Quantity;
  readonly rest1: Quantity;
  readonly beta2: Quantity;
  readonly rest2: Quantity;
  readonly c1: Quantity;
  readonly c2: Quantity;
  readonly epsilon: Quantity;
  readonly minusRate: Quantity;
  readonly nextX: Address;
  readonly nextM: Address;
  readonly nextV: Address;
}

export interface AveragePoolBackwardArguments {
  readonly table: Address;
  readonly windows: Quantity;
  readonly dSmall: Address;
  readonly dBig: Address;
  readonly channels: Quantity;
  readonly images: Quantity;
  readonly bigStride: Quantity;
  readonly smallStride: Quantity;
}

export interface AveragePoolForwardArguments {
  readonly table: Address;
  readonly windows: Quantity;
  readonly big: Address;
  readonly small: Address;
  readonly channels: Quantity;
  readonly images: Quantity;
  readonly bigStride: Quantity;
  readonly smallStride: Quantity;
}

export interface BernoulliArguments {
  readonly logits: Address;
  readonly x: Address;
  readonly rows: Quantity;
  readonly samples: Quantity;
  readonly dimensions: Quantity;
  readonly scale: Quantity;
  readonly logLikelihood: Address;
  readonly terms: Address;
  readonly dLogits: Address;
}

export interface BinarizeArguments {
  readonly mode: Quantity;
  readonly pixels: Address;
  readonly places: Address;
  readonly order: Address;
  readonly rows: Quantity;
  readonly dimensions: Quantity;
  readonly out: Address;
  readonly key0: Quantity;
  readonly key1: Quantity;
  readonly step: Quantity;
  readonly purpose: Quantity;
  readonly scratch: Address;
}

export interface CopyPiecesArguments {
  readonly table: Address;
  readonly pieces: Quantity;
  readonly source: Address;
  readonly target: Address;
  readonly images: Quantity;
  readonly sourceStride: Quantity;
  readonly targetStride: Quantity;
}

export interface CumulativeSumArguments {
  readonly x: Address;
  readonly outer: Quantity;
  readonly count: Quantity;
  readonly inner: Quantity;
  readonly exclusive: Quantity;
  readonly reverse: Quantity;
  readonly out: Address;
}

export interface FilterGradientArguments {
  readonly rows: Quantity;
  readonly columns: Quantity;
  readonly gradient: Address;
  readonly big: Address;
  readonly bigPixelStride: Quantity;
  readonly bigLineStride: Quantity;
  readonly small: Address;
  readonly smallPixelStride: Quantity;
  readonly smallLineStride: Quantity;
  readonly pixels: Quantity;
  readonly lines: Quantity;
  readonly zeros: Address;
}

export interface GatherSlicesArguments {
  readonly x: Address;
  readonly indices: Address;
  readonly batches: Quantity;
  readonly outer: Quantity;
  readonly extent: Quantity;
  readonly picks: Quantity;
  readonly bytes: Quantity;
  readonly out: Address;
}

export interface GaussianBackwardArguments {
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly z: Address;
  readonly dz: Address;
  readonly dPosterior: Address;
  readonly examples: Quantity;
  readonly samples: Quantity;
  readonly latent: Quantity;
  readonly analytic: Quantity;
  readonly beta: Quantity;
}

export interface GaussianBackwardEstimatedArguments {
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly z: Address;
  readonly dz: Address;
  readonly weights: Address;
  readonly path: Address;
  readonly score: Address;
  readonly dPosterior: Address;
  readonly examples: Quantity;
  readonly samples: Quantity;
  readonly latent: Quantity;
  readonly beta: Quantity;
}

export interface GaussianBackwardWeightedArguments {
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly z: Address;
  readonly dz: Address;
  readonly weights: Address;
  readonly dPosterior: Address;
  readonly examples: Quantity;
  readonly samples: Quantity;
  readonly latent: Quantity;
  readonly beta: Quantity;
}

export interface GaussianForwardArguments {
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly z: Address;
  readonly examples: Quantity;
  readonly samples: Quantity;
  readonly latent: Quantity;
  readonly analytic: Quantity;
  readonly kl: Address;
}

export interface GaussianLikelihoodArguments {
  readonly means: Address;
  readonly x: Address;
  readonly rows: Quantity;
  readonly samples: Quantity;
  readonly dimensions: Quantity;
  readonly sigma: Quantity;
  readonly scale: Quantity;
  readonly logLikelihood: Address;
  readonly dMeans: Address;
}

export interface GaussianLogRatiosArguments {
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly z: Address;
  readonly examples: Quantity;
  readonly samples: Quantity;
  readonly latent: Quantity;
  readonly logRatio: Address;
}

export interface GaussianLogWeightGradientArguments {
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly z: Address;
  readonly dz: Address;
  readonly scale: Quantity;
  readonly gradient: Address;
  readonly examples: Quantity;
  readonly samples: Quantity;
  readonly latent: Quantity;
}

export interface GemmArguments {
  readonly rows: Quantity;
  readonly columns: Quantity;
  readonly depth: Quantity;
  readonly a: Address;
  readonly aOffsets: Address;
  readonly segments: Quantity;
  readonly segmentTable: Address;
  readonly b: Address;
  readonly bias: Address;
  readonly out: Address;
  readonly outOffsets: Address;
  readonly relu: Quantity;
}

export interface GemmDotArguments {
  readonly rows: Quantity;
  readonly columns: Quantity;
  readonly depth: Quantity;
  readonly a: Address;
  readonly aOffsets: Address;
  readonly segments: Quantity;
  readonly segmentTable: Address;
  readonly b: Address;
  readonly bias: Address;
  readonly out: Address;
  readonly outOffsets: Address;
  readonly relu: Quantity;
}

export interface GemmInPlaceArguments {
  readonly rows: Quantity;
  readonly columns: Quantity;
  readonly a: Address;
  readonly aOffsets: Address;
  readonly segments: Quantity;
  readonly segmentTable: Address;
  readonly b: Address;
  readonly pitch: Quantity;
  readonly bias: Address;
  readonly out: Address;
  readonly outOffsets: Address;
  readonly relu: Quantity;
}

export interface GemmTransposedArguments {
  readonly rows: Quantity;
  readonly columns: Quantity;
  readonly depth: Quantity;
  readonly a: Address;
  readonly aPitch: Quantity;
  readonly b: Address;
  readonly bPitch: Quantity;
  readonly out: Address;
  readonly outPitch: Quantity;
}

export interface ListGradientsArguments {
  readonly rows: Quantity;
  readonly bigOffset: Quantity;
  readonly shards: Quantity;
  readonly table: Address;
  readonly bigPitch: Quantity;
  readonly smallPitch: Quantity;
  readonly zeros: Address;
  readonly lists: Address;
  readonly share: Quantity;
}

export interface ListInputsArguments {
  readonly x: Address;
  readonly images: Quantity;
  readonly inputs: Quantity;
  readonly pitch: Quantity;
  readonly bias: Address;
  readonly weights: Address;
  readonly weightPitch: Quantity;
  readonly lists: Address;
  readonly share: Quantity;
}

export interface MaxPoolBackwardArguments {
  readonly table: Address;
  readonly windows: Quantity;
  readonly big: Address;
  readonly dSmall: Address;
  readonly dBig: Address;
  readonly channels: Quantity;
  readonly images: Quantity;
  readonly bigStride: Quantity;
  readonly smallStride: Quantity;
}

export interface MaxPoolForwardArguments {
  readonly table: Address;
  readonly windows: Quantity;
  readonly big: Address;
  readonly small: Address;
  readonly channels: Quantity;
  readonly images: Quantity;
  readonly bigStride: Quantity;
  readonly smallStride: Quantity;
}

export interface NormalizeRowsArguments {
  readonly x: Address;
  readonly rows: Quantity;
  readonly channels: Quantity;
  readonly mean: Address;
  readonly variance: Address;
  readonly offset: Address;
  readonly scale: Address;
  readonly epsilon: Quantity;
  readonly factor: Address;
  readonly out: Address;
}

export interface PackColumnsArguments {
  readonly source: Address;
  readonly segments: Quantity;
  readonly tapsPerSegment: Quantity;
  readonly tapOffsets: Address;
  readonly inner: Quantity;
  readonly innerStride: Quantity;
  readonly columns: Quantity;
  readonly columnStride: Quantity;
  readonly destination: Address;
}

export interface PackPanelsArguments {
  readonly source: Address;
  readonly taps: Quantity;
  readonly tapOffsets: Address;
  readonly inner: Quantity;
  readonly innerStride: Quantity;
  readonly columns: Quantity;
  readonly columnStride: Quantity;
  readonly width: Quantity;
  readonly from: Quantity;
  readonly to: Quantity;
  readonly destination: Address;
}

export interface RandomBitsArguments {
  readonly out: Address;
  readonly count: Quantity;
  readonly key0: Quantity;
  readonly key1: Quantity;
  readonly position: Quantity;
  readonly step: Quantity;
  readonly purpose: Quantity;
}

export interface RandomNormalArguments {
  readonly out: Address;
  readonly rows: Quantity;
  readonly count: Quantity;
  readonly key0: Quantity;
  readonly key1: Quantity;
  readonly position: Quantity;
  readonly step: Quantity;
  readonly purpose: Quantity;
  readonly scratch: Address;
}

export interface RandomUniformArguments {
  readonly out: Address;
  readonly count: Quantity;
  readonly low: Quantity;
  readonly high: Quantity;
  readonly key0: Quantity;
  readonly key1: Quantity;
  readonly position: Quantity;
  readonly step: Quantity;
  readonly purpose: Quantity;
  readonly scratch: Address;
}

export interface ReduceAdamArguments {
  readonly parameters: Address;
  readonly m: Address;
  readonly v: Address;
  readonly slots: Address;
  readonly pitch: Quantity;
  readonly shards: Quantity;
  readonly count: Quantity;
  readonly scale: Quantity;
  readonly beta1: Quantity;
  readonly oneMinusBeta1: Quantity;
  readonly beta2: Quantity;
  readonly oneMinusBeta2: Quantity;
  readonly stepSize: Quantity;
  readonly rootCorrection: Quantity;
  readonly epsilon: Quantity;
}

export interface ReduceSgdArguments {
  readonly parameters: Address;
  readonly velocity: Address;
  readonly slots: Address;
  readonly pitch: Quantity;
  readonly shards: Quantity;
  readonly count: Quantity;
  readonly scale: Quantity;
  readonly momentum: Quantity;
  readonly rate: Quantity;
}

export interface ReduceSumArguments {
  readonly x: Address;
  readonly outer: Quantity;
  readonly kept: Quantity;
  readonly inner: Quantity;
  readonly columns: Quantity;
  readonly scale: Quantity;
  readonly out: Address;
}

export interface ResampleGradientArguments {
  readonly dy: Address;
  readonly batch: Quantity;
  readonly inHeight: Quantity;
  readonly inWidth: Quantity;
  readonly channels: Quantity;
  readonly taps: Quantity;
  readonly rows: Address;
  readonly outHeight: Quantity;
  readonly columns: Address;
  readonly outWidth: Quantity;
  readonly dx: Address;
}

export interface ResampleNearestArguments {
  readonly x: Address;
  readonly batch: Quantity;
  readonly inHeight: Quantity;
  readonly inWidth: Quantity;
  readonly channels: Quantity;
  readonly rows: Address;
  readonly outHeight: Quantity;
  readonly columns: Address;
  readonly outWidth: Quantity;
  readonly out: Address;
}

export interface SgdArguments {
  readonly parameters: Address;
  readonly velocity: Address;
  readonly gradient: Address;
  readonly count: Quantity;
  readonly scale: Quantity;
  readonly momentum: Quantity;
  readonly rate: Quantity;
}

export interface SumRowsArguments {
  readonly rows: Quantity;
  readonly columns: Quantity;
  readonly lists: Address;
  readonly out: Address;
  readonly outPitch: Quantity;
  readonly stack: Address;
  readonly relu: Quantity;
}

export interface TreeGradientArguments {
  readonly rows: Quantity;
  readonly columns: Quantity;
  readonly gradient: Address;
  readonly bigOffset: Quantity;
  readonly shards: Quantity;
  readonly table: Address;
  readonly bigPitch: Quantity;
  readonly smallPitch: Quantity;
  readonly zeros: Address;
  readonly stack: Address;
}

export interface UpsampleBackwardArguments {
  readonly table: Address;
  readonly windows: Quantity;
  readonly dBig: Address;
  readonly dSmall: Address;
  readonly channels: Quantity;
  readonly images: Quantity;
  readonly bigStride: Quantity;
  readonly smallStride: Quantity;
}

export interface UpsampleForwardArguments {
  readonly table: Address;
  readonly windows: Quantity;
  readonly small: Address;
  readonly big: Address;
  readonly channels: Quantity;
  readonly images: Quantity;
  readonly bigStride: Quantity;
  readonly smallStride: Quantity;
}

/**
 * The functions of the WebAssembly module. Addresses and strides are in bytes of the imported memory, counts
 * in elements; NONE as an address means "none" where the kernel says so. Those with more than
 * 6 parameters take a record of named arguments.
 */
export interface Kernels {
  /**
   * out = activation(out): one of those of src/tfjs/epilogue.ts, but PRELU. `slope` is LEAKY_RELU's below zero.
   */
  activate(kind: Quantity, out: Address, count: Quantity, slope: Quantity): void;
  /** Adam like reduceAdam, with the gradient as it stands and on `count` floats exactly. */
  adam(args: AdamArguments): number;
  /**
   * One update of TensorFlow.js's Adam in one pass, with the same roundings as its sequence of operations:
   *   m' = m β₁ + g (1 − β₁),  v' = v β₂ + g² (1 − β₂),  x' = (m' / c₁) / (√(v' / c₂) + ε) · (−rate) + x;
   * but moments below 2⁻¹⁰⁴ become 0 (see NEGLIGIBLE).
   * @param c1 1 − β₁^t; `c2` likewise.
   */
  adamStep(args: AdamStepArguments): void;
  /** out = a + b; `count` floats, written in whole vectors. */
  addFloats(a: Address, b: Address, out: Address, count: Quantity): void;
  /** out[r][n] += addend[r][n]; the addend's rows lie `rowStride` bytes apart (0: the same for all). */
  addRows(out: Address, rows: Quantity, columns: Quantity, addend: Address, rowStride: Quantity, columnStride: Quantity): void;
  /** 1 where no number of x is infinite or NaN, else 0. */
  allFinite(x: Address, count: Quantity): number;
  /** out[i] = a[i] and b[i], of bytes 0 and 1. */
  andBytes(a: Address, b: Address, count: Quantity, out: Address): void;
  /**
   * average = (1 − weight) · average + weight · values, in place, on `count` floats exactly, for a weight in
   * [0, 1]. It is computed from whichever counts more, by adding a share of the difference: so equal numbers
   * stay as they are, and the weight 1 gives the values. Two products would not: 1 − weight and weight, each
   * rounded, have not the sum 1, and an average over 10⁴ updates would be off by more than 10⁻⁴ of itself.
   * @returns 1 where every average is finite now, else 0.
   */
  averageFloats(average: Address, values: Address, count: Quantity, weight: Quantity): number;
  /** dBig = dSmall / (pixels of the window), summed in the order of the windows; 0 where no window is. */
  averagePoolBackward(args: AveragePoolBackwardArguments): void;
  /** Each small pixel is the mean of its window. */
  averagePoolForward(args: AveragePoolForwardArguments): void;
  /**
   * logLikelihood[r] (float64, nats) of logits row r, [rows, dimensions], given example r / samples of x.
   * With dLogits ≠ 0 also d(−log p(x|z) · scale)/dℓ = (σ(ℓ) − x) · scale, [rows, dimensions].
   * A NaN logit makes its row NaN. `terms` holds linear terms meanwhile: dimensions, rounded up to four.
   */
  bernoulli(args: BernoulliArguments): void;
  /**
   * Images as float32: out[r] from the image at places[r] of `pixels` (bytes), [rows, dimensions]. Its number
   * is order[r]: the same list, unless `pixels` holds a part of the images.
   * mode 0: grey / 255. mode 1: threshold, grey > 127.5. mode 2: Bernoulli draw with probability
   * grey / 255, a function of (key, image, step, purpose, pixel); grey 0 and 255 never change. Needs 64 bytes
   * of scratch.
   */
  binarize(args: BinarizeArguments): void;
  broadcastEqual(plan: Address, a: Address, b: Address, out: Address): void;
  /** Comparisons give bytes, 0 or 1. */
  broadcastGreater(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastGreaterEqual(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastLess(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastLessEqual(plan: Address, a: Address, b: Address, out: Address): void;
  /** The larger; NaN where one is. */
  broadcastMaximum(plan: Address, a: Address, b: Address, out: Address): void;
  /** The smaller; NaN where one is. */
  broadcastMinimum(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastNotEqual(plan: Address, a: Address, b: Address, out: Address): void;
  /**
   * The bias gradient: gradient[c] (+)= Σ_pixels values[pixel][c], pixels in order.
   * Zero borders may lie between the pixels: they do not change a sum.
   */
  columnSums(values: Address, pixels: Quantity, channels: Quantity, gradient: Address, accumulate: Quantity): void;
  /**
   * Copies `lines` lines of `length` floats, with `border` zeros before each and after the last: what lies
   * right of one line lies left of the next. The target holds lines · (border + length) + border floats.
   */
  copyBordered(source: Address, target: Address, lines: Quantity, length: Quantity, border: Quantity): void;
  /**
   * target[i] = source[i]. Not memory.copy: on a shared memory, engines copy with a call and by machine words.
   */
  copyFloats(source: Address, target: Address, count: Quantity): void;
  /**
   * For each of `images`: `pieces` runs, each (source offset, target offset, length), in bytes, u32, from
   * `table`.
   */
  copyPieces(args: CopyPiecesArguments): void;
  /**
   * Copies `rows` runs of `bytes`: of a row of `pitch` bytes at `x` to a row of `targetPitch` bytes at `out`
   * (slices, splits and concatenations along one axis).
   */
  copyRows(x: Address, pitch: Quantity, rows: Quantity, bytes: Quantity, out: Address, targetPitch: Quantity): void;
  /**
   * Running sums along the middle axis of [outer, count, inner], in float32.
   * @param exclusive 1 leaves each element out of its own sum; `reverse` 1 sums from the end.
   */
  cumulativeSum(args: CumulativeSumArguments): void;
  /**
   * dFilter[th][tw][c] = Σ x[n][…][c] · dy[n][oh][ow][c] over the outputs whose tap lies in the input: summed
   * over an image first, in order, then over the images.
   */
  depthwiseFilterGradient(geometry: Address, x: Address, dy: Address, dFilter: Address): void;
  /**
   * dx[n][h][w][c] = Σ dy[n][oh][ow][c] · filter[th][tw][c] over the taps that lead there, in order.
   * @param rows for each input row: number of its pairs of bytes (offset of a line of dy, offset of a line of
   * the filter), and the address of these pairs; `columns` likewise for each input column.
   */
  depthwiseInputGradient(geometry: Address, rows: Address, columns: Address, dy: Address, filter: Address, dx: Address): void;
  /** out[a][c][r] = x[a][r][c], slices of `bytes`. */
  exchangeSlices(x: Address, outer: Quantity, rows: Quantity, columns: Quantity, bytes: Quantity, out: Address): void;
  /** out[i] = exp(x[i]); `count` floats, written in whole vectors. */
  expArray(x: Address, out: Address, count: Quantity): void;
  /** out[r][n] = row[n]. */
  fillRows(out: Address, rows: Quantity, columns: Quantity, row: Address): void;
  filterGradient4x16(args: FilterGradientArguments): void;
  filterGradient4x8(args: FilterGradientArguments): void;
  filterGradient6x16(args: FilterGradientArguments): void;
  filterGradient6x8(args: FilterGradientArguments): void;
  /**
   * out[b][o][k] = x[b][o][indices[b][k]], slices of `bytes`.
   * @param indices int32.
   * @returns the position in `indices` of one that is not in [0, extent), or −1.
   */
  gatherSlices(args: GatherSlicesArguments): number;
  /**
   * dPosterior = d(loss)/d(mu, logvar) from dz = d(−(1/K) Σ_k log p(x|z_k))/dz, [examples, samples, latent],
   * plus beta times the gradient of the KL. Through z: dmu = Σ_k dz_k, dlogvar = ½ sigma Σ_k dz_k ⊙ epsilon_k.
   */
  gaussianBackward(args: GaussianBackwardArguments): void;
  /**
   * dPosterior = d(loss)/d(mu, logvar) by an estimator that takes z_k's path and the score of q apart. With
   * W_k = `weights`, p_k = `path` and c_k = `score`, [examples, samples] float32 each:
   *   g_k = p_k (dz_k + beta W_k (z_k − epsilon_k / sigma)),
   *   dmu = Σ_k [g_k + c_k epsilon_k / sigma],  dlogvar = ½ Σ_k [sigma epsilon_k g_k + c_k (epsilon_k² − 1)].
   * d log q(z|x)/dz at z_k is −epsilon_k / sigma; the score is its derivative in mu and logvar at z_k as it is.
   */
  gaussianBackwardEstimated(args: GaussianBackwardEstimatedArguments): void;
  /**
   * dPosterior = d(loss)/d(mu, logvar), where row k of an example has the weight w_k, Σ_k w_k = 1, in
   * d(loss) = Σ_k w_k d[−log p(x|z_k) + beta (log q(z_k|x) − log p(z_k))]. `dz` [examples, samples, latent] has
   * the first part, weighted already; `weights` is [examples, samples] float32. As gaussianBackward (Monte
   * Carlo), where all weights are 1 / samples. d log q(z_k|x) along z_k = mu + sigma epsilon_k is 0 in mu and
   * −½ in logvar; d log p(z_k) is −z_k in z_k.
   */
  gaussianBackwardWeighted(args: GaussianBackwardWeightedArguments): void;
  /**
   * z[e][k] = mu[e] + exp(½ logvar[e]) ⊙ epsilon[e][k], [examples, samples, latent].
   * kl[e] (float64, nats): analytic ½ Σ_j (mu² + exp(logvar) − logvar − 1), or Monte Carlo
   * (1/K) Σ_k [log q(z_k|x) − log p(z_k)] = (1/K) Σ_k ½ Σ_j (z² − logvar − epsilon²).
   */
  gaussianForward(args: GaussianForwardArguments): void;
  /**
   * logLikelihood[r] (float64, nats) of means row r, [rows, dimensions], given example r / samples of x:
   * −½ Σ_i ((x_i − m_i) / σ)² − dimensions · (½ log 2π + log σ).
   * With dMeans ≠ 0 also d(−log p(x|z) · scale)/dm = (m − x) · scale / σ², [rows, dimensions].
   */
  gaussianLikelihood(args: GaussianLikelihoodArguments): void;
  /**
   * logRatio[r] (float64, nats) = log p(z_r) − log q(z_r|x) = ½ Σ_j (logvar_j + epsilon_j² − z_j²) for row r of
   * z, [examples · samples, latent], p standard normal and q as in gaussian.ts: 2π cancels. With one sample it
   * is −kl of gaussianForward (Monte Carlo) to the bit.
   */
  gaussianLogRatios(args: GaussianLogRatiosArguments): void;
  /**
   * gradient = d(log w)/d(epsilon) = epsilon − sigma ⊙ (z + scale dz), [examples · samples, latent], with
   * log w = log p(x|z) + log p(z) − log q(z|x) along z = mu + sigma ⊙ epsilon, and
   * dz = d(−log p(x|z) / scale)/dz.
   */
  gaussianLogWeightGradient(args: GaussianLogWeightGradientArguments): void;
  /** dx = dy · (Φ(x) + x φ(x)). */
  geluBackward(x: Address, dy: Address, dx: Address, count: Quantity): void;
  /** y = x · Φ(x). */
  geluForward(x: Address, y: Address, count: Quantity): void;
  gemm4x16(args: GemmArguments): void;
  gemm4x8(args: GemmArguments): void;
  gemm6x16(args: GemmArguments): void;
  gemm6x8(args: GemmArguments): void;
  gemmDot4(args: GemmDotArguments): void;
  gemmInPlace4x16(args: GemmInPlaceArguments): void;
  gemmInPlace4x8(args: GemmInPlaceArguments): void;
  gemmInPlace6x16(args: GemmInPlaceArguments): void;
  gemmInPlace6x8(args: GemmInPlaceArguments): void;
  gemmTransposed2x16(args: GemmTransposedArguments): void;
  gemmTransposed4x8(args: GemmTransposedArguments): void;
  /** dy = y > 0 ? dy : slope · dy. */
  leakyReluBackward(y: Address, dy: Address, count: Quantity, slope: Quantity): void;
  /** y = y > 0 ? y : slope · y. A NaN stays one. */
  leakyReluForward(y: Address, count: Quantity, slope: Quantity): void;
  /**
   * Lists of `rows` rows of a dense layer's weight gradient, with a group for each shard that has terms. The
   * first six arguments are those of treeGradient; `zeros` is the address of as many zeros as the gradient has
   * columns. Room: gradientListBytes (listRoom.ts). Returns the number of terms, or −1 as soon as more than
   * `share` of what was seen is not zero.
   *
   * Each shard with examples has a slot for its head and one for each example: what stands there in a list of
   * all. A row has a bit for each slot; sixteen rows' bits are found at a time, and then what they mark is
   * copied, head or term.
   */
  listGradients(args: ListGradientsArguments): number;
  /**
   * Lists of bias + x · W, one a row of x, of one group: `inputs` floats a row, `pitch` bytes from row to row
   * of x and `weightPitch` of W. Room: inputListBytes (listRoom.ts) for each. Returns the number of terms of x,
   * or −1 as soon as more than `share` of what was seen is not zero.
   */
  listInputs(args: ListInputsArguments): number;
  /** out[i] = log(x[i]); `count` floats, written in whole vectors. */
  logArray(x: Address, out: Address, count: Quantity): void;
  mapExp(x: Address, out: Address, count: Quantity): void;
  mapExpm1(x: Address, out: Address, count: Quantity): void;
  mapLog(x: Address, out: Address, count: Quantity): void;
  mapLog1p(x: Address, out: Address, count: Quantity): void;
  mapReciprocal(x: Address, out: Address, count: Quantity): void;
  mapRsqrt(x: Address, out: Address, count: Quantity): void;
  mapSoftplus(x: Address, out: Address, count: Quantity): void;
  mapSqrt(x: Address, out: Address, count: Quantity): void;
  mapTanh(x: Address, out: Address, count: Quantity): void;
  /** dBig = dSmall at the first of each window's largest, summed in the order of the windows; 0 elsewhere. */
  maxPoolBackward(args: MaxPoolBackwardArguments): void;
  /** Each small pixel is the largest of its window, and NaN where one of them is. */
  maxPoolForward(args: MaxPoolForwardArguments): void;
  /** a · b + c as the tiles compute it. */
  multiplyAddProbe(a: Quantity, b: Quantity, c: Quantity): number;
  /**
   * out[r][c] = (x[r][c] − mean[c]) · scale[c] / √(variance[c] + epsilon) + offset[c].
   * @param offset 0 for none; `scale` likewise.
   * @param factor room for `channels` floats in whole vectors.
   */
  normalizeRows(args: NormalizeRowsArguments): void;
  /** out[i] = a[i] or b[i], of bytes 0 and 1. */
  orBytes(a: Address, b: Address, count: Quantity, out: Address): void;
  /**
   * Columns for gemmDot4: [columns, segments of taps · inner rounded up to four], zeros at each segment's end.
   */
  packColumns(args: PackColumnsArguments): void;
  /**
   * Panels [from, to) of `width` columns each (a multiple of four), [taps · inner, width], zeros beyond
   * `columns`.
   */
  packPanels(args: PackPanelsArguments): void;
  /**
   * Panels of `width` columns (a multiple of four) of a matrix [depth, columns] whose rows lie `pitch` bytes
   * apart: [columns / width, depth, width], zeros beyond `columns`. Like packPanels, but a row of all panels at
   * a time: what is read is contiguous.
   */
  packRows(source: Address, depth: Quantity, pitch: Quantity, columns: Quantity, width: Quantity, destination: Address): void;
  /** out[r][n] = out[r][n] · (out[r][n] < 0 ? slopes[r][n] : 1); strides as in addRows. */
  preluRows(out: Address, rows: Quantity, columns: Quantity, slopes: Address, rowStride: Quantity, columnStride: Quantity): void;
  /** `count` random u32 of one row, written in whole groups of sixteen. */
  randomBits(args: RandomBitsArguments): void;
  /**
   * Standard normals by Box and Muller (1958): √(−2 ln u) · (cos, sin)(2π v). `rows` rows of `count` floats,
   * row r from the counter's position + r; needs 64 bytes of scratch.
   */
  randomNormal(args: RandomNormalArguments): void;
  /** out[i] = low + (high − low) · u, u uniform on [0, 1) in steps of 2⁻²⁴; needs 64 bytes of scratch. */
  randomUniform(args: RandomUniformArguments): void;
  /**
   * Adam (Kingma and Ba 2015, algorithm 1) on `count` floats (rounded up to eight), in place, with the gradient
   * that treeReduce would leave in the first of the `shards` slots; the slots may be overwritten.
   * g = gradient · scale; m = β₁ m + (1 − β₁) g; v = β₂ v + (1 − β₂) g², both 0 below 2⁻¹⁰⁴ (see NEGLIGIBLE);
   * p −= stepSize · m / (√v · rootCorrection + ε), stepSize = α / (1 − β₁ᵗ), rootCorrection = 1 / √(1 − β₂ᵗ).
   * @returns 1 where the sum of every v is finite, so that each is, and so was each gradient; 0 where that sum
   * or a v is not. A look at every p costs four times as much: three per cent of a step of mlp.
   */
  reduceAdam(args: ReduceAdamArguments): number;
  /** As reduceSum, the largest; NaN where there is one. */
  reduceMax(x: Address, outer: Quantity, kept: Quantity, inner: Quantity, columns: Quantity, out: Address): void;
  /** As reduceSum, the smallest; NaN where there is one. */
  reduceMin(x: Address, outer: Quantity, kept: Quantity, inner: Quantity, columns: Quantity, out: Address): void;
  /**
   * On `count` floats (rounded up to eight), in place, with the gradient that treeReduce would leave in the
   * first of the `shards` slots; the slots may be overwritten. g = gradient · scale; v = momentum · v + g, 0
   * below 2⁻¹⁰⁴ (see NEGLIGIBLE); p −= rate · v. With the address 0 for `velocity` there is no momentum: p −=
   * rate · g.
   * @returns 1 where every p and every v (without momentum: g) is finite now, else 0.
   */
  reduceSgd(args: ReduceSgdArguments): number;
  /**
   * out[k][c] = scale · Σ x[o][k][i][c], summed in float64 and rounded once.
   * @param columns 1 where the last axis is reduced too: `inner` is contiguous then.
   */
  reduceSum(args: ReduceSumArguments): void;
  /** dy = y > 0 ? dy : 0. */
  reluBackward(y: Address, dy: Address, count: Quantity): void;
  /** y = max(y, 0). A NaN stays one. */
  reluForward(y: Address, count: Quantity): void;
  /** dx = x > 0 ? dy : 0, and NaN where x is. */
  reluGradient(x: Address, dy: Address, dx: Address, count: Quantity): void;
  /** Each of `blocks` blocks of `bytes`, `times` times in a row. */
  repeatBlocks(x: Address, blocks: Quantity, bytes: Quantity, times: Quantity, out: Address): void;
  /** out[i · times + k] = x[i], k = 0 … times − 1. */
  repeatElements(x: Address, count: Quantity, times: Quantity, out: Address): void;
  /**
   * dx of a resampling in which an output pixel is a sum of input pixels: dx[n][row][column] += weight ·
   * dy[n][r][c], in the order of dy, for each of the pixel's rows, and for each row each of its columns.
   * @param rows for each row of dy `taps` pairs of four bytes each: a row of dx (int32), and its weight
   * (float32); `columns` likewise.
   */
  resampleGradient(args: ResampleGradientArguments): void;
  /** out[n][r][c] = x[n][rows[r]][columns[c]]. */
  resampleNearest(args: ResampleNearestArguments): void;
  /** out[o][k] = x[o][count − 1 − k], slices of `bytes`. */
  reverseSlices(x: Address, outer: Quantity, count: Quantity, bytes: Quantity, out: Address): void;
  /** values = values · factor, in place, on `count` floats exactly. */
  scaleFloats(values: Address, count: Quantity, factor: Quantity): void;
  /** values[r] *= weights[r], [rows, columns] by [rows] float32. */
  scaleRows(values: Address, weights: Address, rows: Quantity, columns: Quantity): void;
  /**
   * out[s] = Σ x[r] over the rows r with ids[r] = s, in order; rows of other ids are left out.
   * @param ids int32.
   */
  segmentSum(x: Address, ids: Address, rows: Quantity, width: Quantity, segments: Quantity, out: Address): void;
  /** out[i] = condition[i] ? whenTrue[i] : whenFalse[i]; the condition in bytes, words of any kind. */
  selectWords(condition: Address, whenTrue: Address, whenFalse: Address, count: Quantity, out: Address): void;
  /** Like reduceSgd, with the gradient as it stands and on `count` floats exactly. */
  sgd(args: SgdArguments): number;
  /** out[i] = σ(logits[i]); `count` floats, written in whole vectors. */
  sigmoidArray(logits: Address, out: Address, count: Quantity): void;
  /** dy = dy · (y · (1 − y)). */
  sigmoidBackward(y: Address, dy: Address, count: Quantity): void;
  /** y = 1 / (1 + e^−y). */
  sigmoidForward(y: Address, count: Quantity): void;
  /** dx = dy · (σ(x) + x σ(x) σ(−x)). */
  siluBackward(x: Address, dy: Address, dx: Address, count: Quantity): void;
  /** y = x · σ(x). */
  siluForward(x: Address, y: Address, count: Quantity): void;
  /**
   * norms[u] = Σ x², [⌈count / unit⌉] float64, over the floats of unit u of x; the last unit may be shorter.
   * Squares are exact; they are added in an order that depends on the unit alone.
   */
  squaredNorms(x: Address, count: Quantity, unit: Quantity, norms: Address): void;
  sumRows40(args: SumRowsArguments): void;
  sumRows80(args: SumRowsArguments): void;
  /** dy = dy · (1 − y²). */
  tanhBackward(y: Address, dy: Address, count: Quantity): void;
  /** y = tanh(y). */
  tanhForward(y: Address, count: Quantity): void;
  /**
   * target[column][row] = source[row][column], [rows, columns]; pitches in bytes from row to row of each.
   *
   * The last blocks end with the last row and the last column: the same value is stored twice, which costs less
   * than parts of vectors.
   */
  transposeMatrix(source: Address, rows: Quantity, columns: Quantity, sourcePitch: Quantity, target: Address, targetPitch: Quantity): void;
  /** target[c][r] = source[r][c]: a matrix [rows, columns] to one of [columns, rows]. */
  transposeTensor(source: Address, rows: Quantity, columns: Quantity, target: Address): void;
  treeGradient4x16(args: TreeGradientArguments): void;
  treeGradient4x8(args: TreeGradientArguments): void;
  treeGradient6x16(args: TreeGradientArguments): void;
  treeGradient6x8(args: TreeGradientArguments): void;
  /**
   * Sums `count` floats of `shards` slots (`pitch` bytes apart) into the first slot, which is overwritten, as
   * are others. The tree is fixed by the number of shards: neighbours at distance 1, then 2, then 4 …; who sums
   * which slice does not matter. `count` is rounded up to four.
   */
  treeReduce(slots: Address, pitch: Quantity, shards: Quantity, count: Quantity): void;
  /** dSmall = the sum of dBig over each window. */
  upsampleBackward(args: UpsampleBackwardArguments): void;
  /** Each pixel of a window is the small pixel: windows do not overlap, and leave nothing out. */
  upsampleForward(args: UpsampleForwardArguments): void;
  /** dFilter = Σ over outputs of x · dy. */
  volumeFilterGradient(geometry: Address, x: Address, dy: Address, dFilter: Address): void;
  /** dx = Σ over outputs and taps of filter · dy. */
  volumeInputGradient(geometry: Address, dy: Address, filter: Address, dx: Address): void;
  /** dx of averages over windows: dy / (taps of the window that lie in the input) to each of these. */
  windowAverageGradient(geometry: Address, dy: Address, dx: Address): void;
  /**
   * out = max of x + filter over each window, NaN left out, −∞ of nothing.
   * @param filter [depth, height, width, channels], or 0 for none.
   */
  windowMax(geometry: Address, x: Address, filter: Address, out: Address): void;
  /** dFilter = sum of dy of the windows in which a tap gave the first of the largest x + filter. */
  windowMaxFilterGradient(geometry: Address, x: Address, filter: Address, dy: Address, dFilter: Address): void;
  /** dx = dy at the first of each window's largest x + filter, summed where windows overlap. */
  windowMaxInputGradient(geometry: Address, x: Address, filter: Address, dy: Address, dx: Address): void;
  /** target[0 … count) = 0. */
  zeroFloats(target: Address, count: Quantity): void;
}

/** The functions as the module exports them. */
interface KernelExports {
  activate(kind: Quantity, out: Address, count: Quantity, slope: Quantity): void;
  adam(parameters: Address, m: Address, v: Address, gradient: Address, count: Quantity, scale: Quantity, beta1: Quantity, oneMinusBeta1: Quantity, beta2: Quantity, oneMinusBeta2: Quantity, stepSize: Quantity, rootCorrection: Quantity, epsilon: Quantity): number;
  adamStep(x: Address, gradient: Address, m: Address, v: Address, count: Quantity, beta1: Quantity, rest1: Quantity, beta2: Quantity, rest2: Quantity, c1: Quantity, c2: Quantity, epsilon: Quantity, minusRate: Quantity, nextX: Address, nextM: Address, nextV: Address): void;
  addFloats(a: Address, b: Address, out: Address, count: Quantity): void;
  addRows(out: Address, rows: Quantity, columns: Quantity, addend: Address, rowStride: Quantity, columnStride: Quantity): void;
  allFinite(x: Address, count: Quantity): number;
  andBytes(a: Address, b: Address, count: Quantity, out: Address): void;
  averageFloats(average: Address, values: Address, count: Quantity, weight: Quantity): number;
  averagePoolBackward(table: Address, windows: Quantity, dSmall: Address, dBig: Address, channels: Quantity, images: Quantity, bigStride: Quantity, smallStride: Quantity): void;
  averagePoolForward(table: Address, windows: Quantity, big: Address, small: Address, channels: Quantity, images: Quantity, bigStride: Quantity, smallStride: Quantity): void;
  bernoulli(logits: Address, x: Address, rows: Quantity, samples: Quantity, dimensions: Quantity, scale: Quantity, logLikelihood: Address, terms: Address, dLogits: Address): void;
  binarize(mode: Quantity, pixels: Address, places: Address, order: Address, rows: Quantity, dimensions: Quantity, out: Address, key0: Quantity, key1: Quantity, step: Quantity, purpose: Quantity, scratch: Address): void;
  broadcastEqual(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastGreater(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastGreaterEqual(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastLess(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastLessEqual(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastMaximum(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastMinimum(plan: Address, a: Address, b: Address, out: Address): void;
  broadcastNotEqual(plan: Address, a: Address, b: Address, out: Address): void;
  columnSums(values: Address, pixels: Quantity, channels: Quantity, gradient: Address, accumulate: Quantity): void;
  copyBordered(source: Address, target: Address, lines: Quantity, length: Quantity, border: Quantity): void;
  copyFloats(source: Address, target: Address, count: Quantity): void;
  copyPieces(table: Address, pieces: Quantity, source: Address, target: Address, images: Quantity, sourceStride: Quantity, targetStride: Quantity): void;
  copyRows(x: Address, pitch: Quantity, rows: Quantity, bytes: Quantity, out: Address, targetPitch: Quantity): void;
  cumulativeSum(x: Address, outer: Quantity, count: Quantity, inner: Quantity, exclusive: Quantity, reverse: Quantity, out: Address): void;
  depthwiseFilterGradient(geometry: Address, x: Address, dy: Address, dFilter: Address): void;
  depthwiseInputGradient(geometry: Address, rows: Address, columns: Address, dy: Address, filter: Address, dx: Address): void;
  exchangeSlices(x: Address, outer: Quantity, rows: Quantity, columns: Quantity, bytes: Quantity, out: Address): void;
  expArray(x: Address, out: Address, count: Quantity): void;
  fillRows(out: Address, rows: Quantity, columns: Quantity, row: Address): void;
  filterGradient4x16(rows: Quantity, columns: Quantity, gradient: Address, big: Address, bigPixelStride: Quantity, bigLineStride: Quantity, small: Address, smallPixelStride: Quantity, smallLineStride: Quantity, pixels: Quantity, lines: Quantity, zeros: Address): void;
  filterGradient4x8(rows: Quantity, columns: Quantity, gradient: Address, big: Address, bigPixelStride: Quantity, bigLineStride: Quantity, small: Address, smallPixelStride: Quantity, smallLineStride: Quantity, pixels: Quantity, lines: Quantity, zeros: Address): void;
  filterGradient6x16(rows: Quantity, columns: Quantity, gradient: Address, big: Address, bigPixelStride: Quantity, bigLineStride: Quantity, small: Address, smallPixelStride: Quantity, smallLineStride: Quantity, pixels: Quantity, lines: Quantity, zeros: Address): void;
  filterGradient6x8(rows: Quantity, columns: Quantity, gradient: Address, big: Address, bigPixelStride: Quantity, bigLineStride: Quantity, small: Address, smallPixelStride: Quantity, smallLineStride: Quantity, pixels: Quantity, lines: Quantity, zeros: Address): void;
  gatherSlices(x: Address, indices: Address, batches: Quantity, outer: Quantity, extent: Quantity, picks: Quantity, bytes: Quantity, out: Address): number;
  gaussianBackward(posterior: Address, epsilon: Address, z: Address, dz: Address, dPosterior: Address, examples: Quantity, samples: Quantity, latent: Quantity, analytic: Quantity, beta: Quantity): void;
  gaussianBackwardEstimated(posterior: Address, epsilon: Address, z: Address, dz: Address, weights: Address, path: Address, score: Address, dPosterior: Address, examples: Quantity, samples: Quantity, latent: Quantity, beta: Quantity): void;
  gaussianBackwardWeighted(posterior: Address, epsilon: Address, z: Address, dz: Address, weights: Address, dPosterior: Address, examples: Quantity, samples: Quantity, latent: Quantity, beta: Quantity): void;
  gaussianForward(posterior: Address, epsilon: Address, z: Address, examples: Quantity, samples: Quantity, latent: Quantity, analytic: Quantity, kl: Address): void;
  gaussianLikelihood(means: Address, x: Address, rows: Quantity, samples: Quantity, dimensions: Quantity, sigma: Quantity, scale: Quantity, logLikelihood: Address, dMeans: Address): void;
  gaussianLogRatios(posterior: Address, epsilon: Address, z: Address, examples: Quantity, samples: Quantity, latent: Quantity, logRatio: Address): void;
  gaussianLogWeightGradient(posterior: Address, epsilon: Address, z: Address, dz: Address, scale: Quantity, gradient: Address, examples: Quantity, samples: Quantity, latent: Quantity): void;
  geluBackward(x: Address, dy: Address, dx: Address, count: Quantity): void;
  geluForward(x: Address, y: Address, count: Quantity): void;
  gemm4x16(rows: Quantity, columns: Quantity, depth: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemm4x8(rows: Quantity, columns: Quantity, depth: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemm6x16(rows: Quantity, columns: Quantity, depth: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemm6x8(rows: Quantity, columns: Quantity, depth: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemmDot4(rows: Quantity, columns: Quantity, depth: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemmInPlace4x16(rows: Quantity, columns: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, pitch: Quantity, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemmInPlace4x8(rows: Quantity, columns: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, pitch: Quantity, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemmInPlace6x16(rows: Quantity, columns: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, pitch: Quantity, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemmInPlace6x8(rows: Quantity, columns: Quantity, a: Address, aOffsets: Address, segments: Quantity, segmentTable: Address, b: Address, pitch: Quantity, bias: Address, out: Address, outOffsets: Address, relu: Quantity): void;
  gemmTransposed2x16(rows: Quantity, columns: Quantity, depth: Quantity, a: Address, aPitch: Quantity, b: Address, bPitch: Quantity, out: Address, outPitch: Quantity): void;
  gemmTransposed4x8(rows: Quantity, columns: Quantity, depth: Quantity, a: Address, aPitch: Quantity, b: Address, bPitch: Quantity, out: Address, outPitch: Quantity): void;
  leakyReluBackward(y: Address, dy: Address, count: Quantity, slope: Quantity): void;
  leakyReluForward(y: Address, count: Quantity, slope: Quantity): void;
  listGradients(rows: Quantity, bigOffset: Quantity, shards: Quantity, table: Address, bigPitch: Quantity, smallPitch: Quantity, zeros: Address, lists: Address, share: Quantity): number;
  listInputs(x: Address, images: Quantity, inputs: Quantity, pitch: Quantity, bias: Address, weights: Address, weightPitch: Quantity, lists: Address, share: Quantity): number;
  logArray(x: Address, out: Address, count: Quantity): void;
  mapExp(x: Address, out: Address, count: Quantity): void;
  mapExpm1(x: Address, out: Address, count: Quantity): void;
  mapLog(x: Address, out: Address, count: Quantity): void;
  mapLog1p(x: Address, out: Address, count: Quantity): void;
  mapReciprocal(x: Address, out: Address, count: Quantity): void;
  mapRsqrt(x: Address, out: Address, count: Quantity): void;
  mapSoftplus(x: Address, out: Address, count: Quantity): void;
  mapSqrt(x: Address, out: Address, count: Quantity): void;
  mapTanh(x: Address, out: Address, count: Quantity): void;
  maxPoolBackward(table: Address, windows: Quantity, big: Address, dSmall: Address, dBig: Address, channels: Quantity, images: Quantity, bigStride: Quantity, smallStride: Quantity): void;
  maxPoolForward(table: Address, windows: Quantity, big: Address, small: Address, channels: Quantity, images: Quantity, bigStride: Quantity, smallStride: Quantity): void;
  multiplyAddProbe(a: Quantity, b: Quantity, c: Quantity): number;
  normalizeRows(x: Address, rows: Quantity, channels: Quantity, mean: Address, variance: Address, offset: Address, scale: Address, epsilon: Quantity, factor: Address, out: Address): void;
  orBytes(a: Address, b: Address, count: Quantity, out: Address): void;
  packColumns(source: Address, segments: Quantity, tapsPerSegment: Quantity, tapOffsets: Address, inner: Quantity, innerStride: Quantity, columns: Quantity, columnStride: Quantity, destination: Address): void;
  packPanels(source: Address, taps: Quantity, tapOffsets: Address, inner: Quantity, innerStride: Quantity, columns: Quantity, columnStride: Quantity, width: Quantity, from: Quantity, to: Quantity, destination: Address): void;
  packRows(source: Address, depth: Quantity, pitch: Quantity, columns: Quantity, width: Quantity, destination: Address): void;
  preluRows(out: Address, rows: Quantity, columns: Quantity, slopes: Address, rowStride: Quantity, columnStride: Quantity): void;
  randomBits(out: Address, count: Quantity, key0: Quantity, key1: Quantity, position: Quantity, step: Quantity, purpose: Quantity): void;
  randomNormal(out: Address, rows: Quantity, count: Quantity, key0: Quantity, key1: Quantity, position: Quantity, step: Quantity, purpose: Quantity, scratch: Address): void;
  randomUniform(out: Address, count: Quantity, low: Quantity, high: Quantity, key0: Quantity, key1: Quantity, position: Quantity, step: Quantity, purpose: Quantity, scratch: Address): void;
  reduceAdam(parameters: Address, m: Address, v: Address, slots: Address, pitch: Quantity, shards: Quantity, count: Quantity, scale: Quantity, beta1: Quantity, oneMinusBeta1: Quantity, beta2: Quantity, oneMinusBeta2: Quantity, stepSize: Quantity, rootCorrection: Quantity, epsilon: Quantity): number;
  reduceMax(x: Address, outer: Quantity, kept: Quantity, inner: Quantity, columns: Quantity, out: Address): void;
  reduceMin(x: Address, outer: Quantity, kept: Quantity, inner: Quantity, columns: Quantity, out: Address): void;
  reduceSgd(parameters: Address, velocity: Address, slots: Address, pitch: Quantity, shards: Quantity, count: Quantity, scale: Quantity, momentum: Quantity, rate: Quantity): number;
  reduceSum(x: Address, outer: Quantity, kept: Quantity, inner: Quantity, columns: Quantity, scale: Quantity, out: Address): void;
  reluBackward(y: Address, dy: Address, count: Quantity): void;
  reluForward(y: Address, count: Quantity): void;
  reluGradient(x: Address, dy: Address, dx: Address, count: Quantity): void;
  repeatBlocks(x: Address, blocks: Quantity, bytes: Quantity, times: Quantity, out: Address): void;
  repeatElements(x: Address, count: Quantity, times: Quantity, out: Address): void;
  resampleGradient(dy: Address, batch: Quantity, inHeight: Quantity, inWidth: Quantity, channels: Quantity, taps: Quantity, rows: Address, outHeight: Quantity, columns: Address, outWidth: Quantity, dx: Address): void;
  resampleNearest(x: Address, batch: Quantity, inHeight: Quantity, inWidth: Quantity, channels: Quantity, rows: Address, outHeight: Quantity, columns: Address, outWidth: Quantity, out: Address): void;
  reverseSlices(x: Address, outer: Quantity, count: Quantity, bytes: Quantity, out: Address): void;
  scaleFloats(values: Address, count: Quantity, factor: Quantity): void;
  scaleRows(values: Address, weights: Address, rows: Quantity, columns: Quantity): void;
  segmentSum(x: Address, ids: Address, rows: Quantity, width: Quantity, segments: Quantity, out: Address): void;
  selectWords(condition: Address, whenTrue: Address, whenFalse: Address, count: Quantity, out: Address): void;
  sgd(parameters: Address, velocity: Address, gradient: Address, count: Quantity, scale: Quantity, momentum: Quantity, rate: Quantity): number;
  sigmoidArray(logits: Address, out: Address, count: Quantity): void;
  sigmoidBackward(y: Address, dy: Address, count: Quantity): void;
  sigmoidForward(y: Address, count: Quantity): void;
  siluBackward(x: Address, dy: Address, dx: Address, count: Quantity): void;
  siluForward(x: Address, y: Address, count: Quantity): void;
  squaredNorms(x: Address, count: Quantity, unit: Quantity, norms: Address): void;
  sumRows40(rows: Quantity, columns: Quantity, lists: Address, out: Address, outPitch: Quantity, stack: Address, relu: Quantity): void;
  sumRows80(rows: Quantity, columns: Quantity, lists: Address, out: Address, outPitch: Quantity, stack: Address, relu: Quantity): void;
  tanhBackward(y: Address, dy: Address, count: Quantity): void;
  tanhForward(y: Address, count: Quantity): void;
  transposeMatrix(source: Address, rows: Quantity, columns: Quantity, sourcePitch: Quantity, target: Address, targetPitch: Quantity): void;
  transposeTensor(source: Address, rows: Quantity, columns: Quantity, target: Address): void;
  treeGradient4x16(rows: Quantity, columns: Quantity, gradient: Address, bigOffset: Quantity, shards: Quantity, table: Address, bigPitch: Quantity, smallPitch: Quantity, zeros: Address, stack: Address): void;
  treeGradient4x8(rows: Quantity, columns: Quantity, gradient: Address, bigOffset: Quantity, shards: Quantity, table: Address, bigPitch: Quantity, smallPitch: Quantity, zeros: Address, stack: Address): void;
  treeGradient6x16(rows: Quantity, columns: Quantity, gradient: Address, bigOffset: Quantity, shards: Quantity, table: Address, bigPitch: Quantity, smallPitch: Quantity, zeros: Address, stack: Address): void;
  treeGradient6x8(rows: Quantity, columns: Quantity, gradient: Address, bigOffset: Quantity, shards: Quantity, table: Address, bigPitch: Quantity, smallPitch: Quantity, zeros: Address, stack: Address): void;
  treeReduce(slots: Address, pitch: Quantity, shards: Quantity, count: Quantity): void;
  upsampleBackward(table: Address, windows: Quantity, dBig: Address, dSmall: Address, channels: Quantity, images: Quantity, bigStride: Quantity, smallStride: Quantity): void;
  upsampleForward(table: Address, windows: Quantity, small: Address, big: Address, channels: Quantity, images: Quantity, bigStride: Quantity, smallStride: Quantity): void;
  volumeFilterGradient(geometry: Address, x: Address, dy: Address, dFilter: Address): void;
  volumeInputGradient(geometry: Address, dy: Address, filter: Address, dx: Address): void;
  windowAverageGradient(geometry: Address, dy: Address, dx: Address): void;
  windowMax(geometry: Address, x: Address, filter: Address, out: Address): void;
  windowMaxFilterGradient(geometry: Address, x: Address, filter: Address, dy: Address, dFilter: Address): void;
  windowMaxInputGradient(geometry: Address, x: Address, filter: Address, dy: Address, dx: Address): void;
  zeroFloats(target: Address, count: Quantity): void;
}

/** The kernels of an instance of the module, which must be of the same build. */
export function nameArguments(instance: { readonly exports: object }): Kernels {
  const {
    activate,
    adam,
    adamStep,
    addFloats,
    addRows,
    allFinite,
    andBytes,
    averageFloats,
    averagePoolBackward,
    averagePoolForward,
    bernoulli,
    binarize,
    broadcastEqual,
    broadcastGreater,
    broadcastGreaterEqual,
    broadcastLess,
    broadcastLessEqual,
    broadcastMaximum,
    broadcastMinimum,
    broadcastNotEqual,
    columnSums,
    copyBordered,
    copyFloats,
    copyPieces,
    copyRows,
    cumulativeSum,
    depthwiseFilterGradient,
    depthwiseInputGradient,
    exchangeSlices,
    expArray,
    fillRows,
    filterGradient4x16,
    filterGradient4x8,
    filterGradient6x16,
    filterGradient6x8,
    gatherSlices,
    gaussianBackward,
    gaussianBackwardEstimated,
    gaussianBackwardWeighted,
    gaussianForward,
    gaussianLikelihood,
    gaussianLogRatios,
    gaussianLogWeightGradient,
    geluBackward,
    geluForward,
    gemm4x16,
    gemm4x8,
    gemm6x16,
    gemm6x8,
    gemmDot4,
    gemmInPlace4x16,
    gemmInPlace4x8,
    gemmInPlace6x16,
    gemmInPlace6x8,
    gemmTransposed2x16,
    gemmTransposed4x8,
    leakyReluBackward,
    leakyReluForward,
    listGradients,
    listInputs,
    logArray,
    mapExp,
    mapExpm1,
    mapLog,
    mapLog1p,
    mapReciprocal,
    mapRsqrt,
    mapSoftplus,
    mapSqrt,
    mapTanh,
    maxPoolBackward,
    maxPoolForward,
    multiplyAddProbe,
    normalizeRows,
    orBytes,
    packColumns,
    packPanels,
    packRows,
    preluRows,
    randomBits,
    randomNormal,
    randomUniform,
    reduceAdam,
    reduceMax,
    reduceMin,
    reduceSgd,
    reduceSum,
    reluBackward,
    reluForward,
    reluGradient,
    repeatBlocks,
    repeatElements,
    resampleGradient,
    resampleNearest,
    reverseSlices,
    scaleFloats,
    scaleRows,
    segmentSum,
    selectWords,
    sgd,
    sigmoidArray,
    sigmoidBackward,
    sigmoidForward,
    siluBackward,
    siluForward,
    squaredNorms,
    sumRows40,
    sumRows80,
    tanhBackward,
    tanhForward,
    transposeMatrix,
    transposeTensor,
    treeGradient4x16,
    treeGradient4x8,
    treeGradient6x16,
    treeGradient6x8,
    treeReduce,
    upsampleBackward,
    upsampleForward,
    volumeFilterGradient,
    volumeInputGradient,
    windowAverageGradient,
    windowMax,
    windowMaxFilterGradient,
    windowMaxInputGradient,
    zeroFloats,
  } = instance.exports as KernelExports;
  return {
    activate,
    addFloats,
    addRows,
    allFinite,
    andBytes,
    averageFloats,
    broadcastEqual,
    broadcastGreater,
    broadcastGreaterEqual,
    broadcastLess,
    broadcastLessEqual,
    broadcastMaximum,
    broadcastMinimum,
    broadcastNotEqual,
    columnSums,
    copyBordered,
    copyFloats,
    copyRows,
    depthwiseFilterGradient,
    depthwiseInputGradient,
    exchangeSlices,
    expArray,
    fillRows,
    geluBackward,
    geluForward,
    leakyReluBackward,
    leakyReluForward,
    logArray,
    mapExp,
    mapExpm1,
    mapLog,
    mapLog1p,
    mapReciprocal,
    mapRsqrt,
    mapSoftplus,
    mapSqrt,
    mapTanh,
    multiplyAddProbe,
    orBytes,
    packRows,
    preluRows,
    reduceMax,
    reduceMin,
    reluBackward,
    reluForward,
    reluGradient,
    repeatBlocks,
    repeatElements,
    reverseSlices,
    scaleFloats,
    scaleRows,
    segmentSum,
    selectWords,
    sigmoidArray,
    sigmoidBackward,
    sigmoidForward,
    siluBackward,
    siluForward,
    squaredNorms,
    tanhBackward,
    tanhForward,
    transposeMatrix,
    transposeTensor,
    treeReduce,
    volumeFilterGradient,
    volumeInputGradient,
    windowAverageGradient,
    windowMax,
    windowMaxFilterGradient,
    windowMaxInputGradient,
    zeroFloats,
    adam: (args) => adam(args.parameters, args.m, args.v, args.gradient, args.count, args.scale, args.beta1, args.oneMinusBeta1, args.beta2, args.oneMinusBeta2, args.stepSize, args.rootCorrection, args.epsilon),
    adamStep: (args) => adamStep(args.x, args.gradient, args.m, args.v, args.count, args.beta1, args.rest1, args.beta2, args.rest2, args.c1, args.c2, args.epsilon, args.minusRate, args.nextX, args.nextM, args.nextV),
    averagePoolBackward: (args) => averagePoolBackward(args.table, args.windows, args.dSmall, args.dBig, args.channels, args.images, args.bigStride, args.smallStride),
    averagePoolForward: (args) => averagePoolForward(args.table, args.windows, args.big, args.small, args.channels, args.images, args.bigStride, args.smallStride),
    bernoulli: (args) => bernoulli(args.logits, args.x, args.rows, args.samples, args.dimensions, args.scale, args.logLikelihood, args.terms, args.dLogits),
    binarize: (args) => binarize(args.mode, args.pixels, args.places, args.order, args.rows, args.dimensions, args.out, args.key0, args.key1, args.step, args.purpose, args.scratch),
    copyPieces: (args) => copyPieces(args.table, args.pieces, args.source, args.target, args.images, args.sourceStride, args.targetStride),
    cumulativeSum: (args) => cumulativeSum(args.x, args.outer, args.count, args.inner, args.exclusive, args.reverse, args.out),
    filterGradient4x16: (args) => filterGradient4x16(args.rows, args.columns, args.gradient, args.big, args.bigPixelStride, args.bigLineStride, args.small, args.smallPixelStride, args.smallLineStride, args.pixels, args.lines, args.zeros),
    filterGradient4x8: (args) => filterGradient4x8(args.rows, args.columns, args.gradient, args.big, args.bigPixelStride, args.bigLineStride, args.small, args.smallPixelStride, args.smallLineStride, args.pixels, args.lines, args.zeros),
    filterGradient6x16: (args) => filterGradient6x16(args.rows, args.columns, args.gradient, args.big, args.bigPixelStride, args.bigLineStride, args.small, args.smallPixelStride, args.smallLineStride, args.pixels, args.lines, args.zeros),
    filterGradient6x8: (args) => filterGradient6x8(args.rows, args.columns, args.gradient, args.big, args.bigPixelStride, args.bigLineStride, args.small, args.smallPixelStride, args.smallLineStride, args.pixels, args.lines, args.zeros),
    gatherSlices: (args) => gatherSlices(args.x, args.indices, args.batches, args.outer, args.extent, args.picks, args.bytes, args.out),
    gaussianBackward: (args) => gaussianBackward(args.posterior, args.epsilon, args.z, args.dz, args.dPosterior, args.examples, args.samples, args.latent, args.analytic, args.beta),
    gaussianBackwardEstimated: (args) => gaussianBackwardEstimated(args.posterior, args.epsilon, args.z, args.dz, args.weights, args.path, args.score, args.dPosterior, args.examples, args.samples, args.latent, args.beta),
    gaussianBackwardWeighted: (args) => gaussianBackwardWeighted(args.posterior, args.epsilon, args.z, args.dz, args.weights, args.dPosterior, args.examples, args.samples, args.latent, args.beta),
    gaussianForward: (args) => gaussianForward(args.posterior, args.epsilon, args.z, args.examples, args.samples, args.latent, args.analytic, args.kl),
    gaussianLikelihood: (args) => gaussianLikelihood(args.means, args.x, args.rows, args.samples, args.dimensions, args.sigma, args.scale, args.logLikelihood, args.dMeans),
    gaussianLogRatios: (args) => gaussianLogRatios(args.posterior, args.epsilon, args.z, args.examples, args.samples, args.latent, args.logRatio),
    gaussianLogWeightGradient: (args) => gaussianLogWeightGradient(args.posterior, args.epsilon, args.z, args.dz, args.scale, args.gradient, args.examples, args.samples, args.latent),
    gemm4x16: (args) => gemm4x16(args.rows, args.columns, args.depth, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.bias, args.out, args.outOffsets, args.relu),
    gemm4x8: (args) => gemm4x8(args.rows, args.columns, args.depth, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.bias, args.out, args.outOffsets, args.relu),
    gemm6x16: (args) => gemm6x16(args.rows, args.columns, args.depth, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.bias, args.out, args.outOffsets, args.relu),
    gemm6x8: (args) => gemm6x8(args.rows, args.columns, args.depth, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.bias, args.out, args.outOffsets, args.relu),
    gemmDot4: (args) => gemmDot4(args.rows, args.columns, args.depth, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.bias, args.out, args.outOffsets, args.relu),
    gemmInPlace4x16: (args) => gemmInPlace4x16(args.rows, args.columns, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.pitch, args.bias, args.out, args.outOffsets, args.relu),
    gemmInPlace4x8: (args) => gemmInPlace4x8(args.rows, args.columns, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.pitch, args.bias, args.out, args.outOffsets, args.relu),
    gemmInPlace6x16: (args) => gemmInPlace6x16(args.rows, args.columns, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.pitch, args.bias, args.out, args.outOffsets, args.relu),
    gemmInPlace6x8: (args) => gemmInPlace6x8(args.rows, args.columns, args.a, args.aOffsets, args.segments, args.segmentTable, args.b, args.pitch, args.bias, args.out, args.outOffsets, args.relu),
    gemmTransposed2x16: (args) => gemmTransposed2x16(args.rows, args.columns, args.depth, args.a, args.aPitch, args.b, args.bPitch, args.out, args.outPitch),
    gemmTransposed4x8: (args) => gemmTransposed4x8(args.rows, args.columns, args.depth, args.a, args.aPitch, args.b, args.bPitch, args.out, args.outPitch),
    listGradients: (args) => listGradients(args.rows, args.bigOffset, args.shards, args.table, args.bigPitch, args.smallPitch, args.zeros, args.lists, args.share),
    listInputs: (args) => listInputs(args.x, args.images, args.inputs, args.pitch, args.bias, args.weights, args.weightPitch, args.lists, args.share),
    maxPoolBackward: (args) => maxPoolBackward(args.table, args.windows, args.big, args.dSmall, args.dBig, args.channels, args.images, args.bigStride, args.smallStride),
    maxPoolForward: (args) => maxPoolForward(args.table, args.windows, args.big, args.small, args.channels, args.images, args.bigStride, args.smallStride),
    normalizeRows: (args) => normalizeRows(args.x, args.rows, args.channels, args.mean, args.variance, args.offset, args.scale, args.epsilon, args.factor, args.out),
    packColumns: (args) => packColumns(args.source, args.segments, args.tapsPerSegment, args.tapOffsets, args.inner, args.innerStride, args.columns, args.columnStride, args.destination),
    packPanels: (args) => packPanels(args.source, args.taps, args.tapOffsets, args.inner, args.innerStride, args.columns, args.columnStride, args.width, args.from, args.to, args.destination),
    randomBits: (args) => randomBits(args.out, args.count, args.key0, args.key1, args.position, args.step, args.purpose),
    randomNormal: (args) => randomNormal(args.out, args.rows, args.count, args.key0, args.key1, args.position, args.step, args.purpose, args.scratch),
    randomUniform: (args) => randomUniform(args.out, args.count, args.low, args.high, args.key0, args.key1, args.position, args.step, args.purpose, args.scratch),
    reduceAdam: (args) => reduceAdam(args.parameters, args.m, args.v, args.slots, args.pitch, args.shards, args.count, args.scale, args.beta1, args.oneMinusBeta1, args.beta2, args.oneMinusBeta2, args.stepSize, args.rootCorrection, args.epsilon),
    reduceSgd: (args) => reduceSgd(args.parameters, args.velocity, args.slots, args.pitch, args.shards, args.count, args.scale, args.momentum, args.rate),
    reduceSum: (args) => reduceSum(args.x, args.outer, args.kept, args.inner, args.columns, args.scale, args.out),
    resampleGradient: (args) => resampleGradient(args.dy, args.batch, args.inHeight, args.inWidth, args.channels, args.taps, args.rows, args.outHeight, args.columns, args.outWidth, args.dx),
    resampleNearest: (args) => resampleNearest(args.x, args.batch, args.inHeight, args.inWidth, args.channels, args.rows, args.outHeight, args.columns, args.outWidth, args.out),
    sgd: (args) => sgd(args.parameters, args.velocity, args.gradient, args.count, args.scale, args.momentum, args.rate),
    sumRows40: (args) => sumRows40(args.rows, args.columns, args.lists, args.out, args.outPitch, args.stack, args.relu),
    sumRows80: (args) => sumRows80(args.rows, args.columns, args.lists, args.out, args.outPitch, args.stack, args.relu),
    treeGradient4x16: (args) => treeGradient4x16(args.rows, args.columns, args.gradient, args.bigOffset, args.shards, args.table, args.bigPitch, args.smallPitch, args.zeros, args.stack),
    treeGradient4x8: (args) => treeGradient4x8(args.rows, args.columns, args.gradient, args.bigOffset, args.shards, args.table, args.bigPitch, args.smallPitch, args.zeros, args.stack),
    treeGradient6x16: (args) => treeGradient6x16(args.rows, args.columns, args.gradient, args.bigOffset, args.shards, args.table, args.bigPitch, args.smallPitch, args.zeros, args.stack),
    treeGradient6x8: (args) => treeGradient6x8(args.rows, args.columns, args.gradient, args.bigOffset, args.shards, args.table, args.bigPitch, args.smallPitch, args.zeros, args.stack),
    upsampleBackward: (args) => upsampleBackward(args.table, args.windows, args.dBig, args.dSmall, args.channels, args.images, args.bigStride, args.smallStride),
    upsampleForward: (args) => upsampleForward(args.table, args.windows, args.small, args.big, args.channels, args.images, args.bigStride, args.smallStride),
  };
}
