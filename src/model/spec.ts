// The declarative model: what a user writes as JSON and what a checkpoint stores. docs/models.md explains it.
import type { MapShape, Shape } from './model.js';

export type ActivationName = 'relu' | 'tanh';
export type PaddingName = 'valid' | 'same';
/** One number for both directions, or [rows, columns]. */
export type Extent = number | readonly [number, number];

/** conv2d and conv2dTranspose: fields and defaults as in Keras. */
interface ConvolutionFields {
  /** Output channels; `channels` (decoder only) is the data's number of channels. */
  readonly filters: number | 'channels';
  readonly kernel: Extent;
  /** Default 1. */
  readonly strides?: Extent;
  /** Default `valid`. */
  readonly padding?: PaddingName;
  readonly activation?: ActivationName;
  readonly name?: string;
}

export interface Conv2dSpec extends ConvolutionFields {
  readonly type: 'conv2d';
}

export interface Conv2dTransposeSpec extends ConvolutionFields {
  readonly type: 'conv2dTranspose';
}

export interface DenseSpec {
  readonly type: 'dense';
  /**
   * Output units. `posterior` (encoder only) is 2·latent: the means and log-variances of q(z|x);
   * `pixels` (decoder only) is D: height · width · channels of the data.
   */
  readonly units: number | 'posterior' | 'pixels';
  readonly activation?: ActivationName;
  readonly name?: string;
}

export interface ActivationSpec {
  readonly type: ActivationName;
  readonly name?: string;
}

export interface FlattenSpec {
  readonly type: 'flatten';
  readonly name?: string;
}

export interface ReshapeSpec {
  readonly type: 'reshape';
  /** [n] or [height, width, channels]. */
  readonly shape: Shape;
  readonly name?: string;
}

export type WeightedLayerSpec = Conv2dSpec | Conv2dTransposeSpec | DenseSpec;
export type LayerSpec = WeightedLayerSpec | ActivationSpec | FlattenSpec | ReshapeSpec;

/** How grey pixels in [0, 1] become the data of a Bernoulli likelihood; `none` keeps them as means. */
export type Binarization = 'threshold' | 'dynamic' | 'static' | 'none';

/** What `train` uses where the command line is silent. */
export interface TrainingDefaults {
  /** Examples in a global batch. */
  readonly batchSize?: number;
  /** Of Adam. */
  readonly learningRate?: number;
  readonly epochs?: number;
  readonly binarize?: Binarization;
  /** K, draws of z per example and step. */
  readonly samples?: number;
}

/** JSON-serialisable. Resolved into shapes and parameters by resolveModel. */
export interface ModelSpec {
  readonly name: string;
  /** [height, width, channels]; taken from the data where absent. */
  readonly input?: MapShape;
  /** d, the dimensions of z. */
  readonly latent: number;
  readonly encoder: readonly LayerSpec[];
  readonly decoder: readonly LayerSpec[];
  /**
   * How weights and biases start. `glorotUniform` (default, as in Keras): weights uniform on
   * ±sqrt(6 / (fanIn + fanOut)), biases 0. `fanInUniform` (as in PyTorch): both uniform on ±1 / sqrt(fanIn).
   */
  readonly initialization?: 'glorotUniform' | 'fanInUniform';
  /** Where the decoder's last bias starts; default: as `initialization` says. `dataMean`: the logit of each pixel's mean. */
  readonly outputBias?: 'zeros' | 'dataMean';
  readonly training?: TrainingDefaults;
}
