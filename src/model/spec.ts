// The declarative model: what a user writes as JSON and what a checkpoint stores. docs/models.md explains it.
import type { LayerSpec } from './layers/registry.js';
import type { MapShape } from './model.js';

export type { LayerSpec } from './layers/registry.js';

/** How grey pixels in [0, 1] become the data of a Bernoulli likelihood; `none` keeps them as means. */
export type Binarization = 'threshold' | 'dynamic' | 'static' | 'none';

/** What `train` uses where the command line is silent. */
export interface TrainingDefaults {
  /** Examples in a global batch. */
  readonly batchSize?: number;
  /** The optimizer's learning rate, before its schedule. */
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
  /**
   * Where the decoder's last bias starts; default: as `initialization` says. `dataMean`: the logit of each
   * pixel's mean.
   */
  readonly outputBias?: 'zeros' | 'dataMean';
  readonly training?: TrainingDefaults;
}
