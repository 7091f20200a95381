// Written by scripts/reference.mjs from the tables: "npm run generate:reference" writes it anew.
import type { ConfigOf } from '../model/field.js';
import type { HYPERPARAMETERS } from './hyperparameters.js';

type Fields = ConfigOf<typeof HYPERPARAMETERS>;

/** The hyper-parameters in config.json. */
export interface ConfigFields {
  /**
   * cvae (convolutional), mlp (dense), iwae (the dense network of the IWAE paper, trained by the ELBO; by
   * the importance-weighted bound with train --objective iwae), or a JSON file of your own (docs/models.md).
   */
  readonly model: Fields['model'];
  /** d: dimensions of z. */
  readonly latent: Fields['latent'];
  /** Directory of IDX files, plain or gzip (docs/data.md): train-images-idx3-ubyte and the like. */
  readonly data: Fields['data'];
  /**
   * Grey pixels become x by: threshold (grey > 127), dynamic (drawn at each visit), static (drawn once),
   * none (kept as Bernoulli means).
   */
  readonly binarize: Fields['binarize'];
  /** Seed of weights, noise, order and drawn pixels: unsigned, 64 bits. */
  readonly seed: Fields['seed'];
  /** Images of a step. */
  readonly batchSize: Fields['batchSize'];
  /** Slices of a batch, which decide the order of sums. */
  readonly shards: Fields['shards'];
  /** K: draws of z an example, averaged: less noise, the same bound. */
  readonly samples: Fields['samples'];
  /** The KL term: analytic, or monte-carlo (as in TensorFlow's tutorial). */
  readonly kl: Fields['kl'];
  /** Weight of the KL term. */
  readonly beta: Fields['beta'];
  /** Epochs in which the weight rises from 0 to beta. */
  readonly klWarmupEpochs: Fields['klWarmupEpochs'];
  /** The optimizer's, before its schedule. */
  readonly learningRate: Fields['learningRate'];
  /** What is maximised: elbo, or iwae, the importance-weighted bound of --samples draws. */
  readonly objective?: Fields['objective'];
  /**
   * How the encoder's gradient is estimated: reparameterized, score-function (with a baseline from other
   * draws: score-function-baseline), sticking-the-landing, doubly-reparameterized (docs/mathematics.md).
   */
  readonly estimator?: Fields['estimator'];
  /**
   * What the decoder is trained on: variational, the draws of the objective; hmc, draws from p(z|x) that HMC
   * makes of them (docs/models.md).
   */
  readonly inference?: Fields['inference'];
  /** Transitions of HMC in a step, from a draw of q(z|x). */
  readonly hmcTransitions?: Fields['hmcTransitions'];
  /** Leapfrog steps of a transition: a pass through the decoder and back each. */
  readonly hmcLeapfrogSteps?: Fields['hmcLeapfrogSteps'];
  /** Size of a leapfrog step, in standard deviations of q(z|x). */
  readonly hmcStepSize?: Fields['hmcStepSize'];
  /** p(x|z): bernoulli, or gaussian with a fixed --sigma. */
  readonly likelihood?: Fields['likelihood'];
  /** Standard deviation of a pixel around its mean. */
  readonly sigma?: Fields['sigma'];
  /** p(z): standard-normal, or mixture, of --prior-components Gaussians that are learned with the model. */
  readonly prior?: Fields['prior'];
  /** Gaussians in the mixture, C. */
  readonly priorComponents?: Fields['priorComponents'];
  /** What turns gradients into updates. */
  readonly optimizer?: Fields['optimizer'];
  /** Share of a weight that decays in a step, before the learning rate. */
  readonly weightDecay?: Fields['weightDecay'];
  /** Share of the velocity that is left after a step. */
  readonly momentum?: Fields['momentum'];
  /** Constants of Adam. */
  readonly adam?: Fields['adam'];
  /**
   * constant; warmup: rises over --warmup-epochs; cosine: then falls to 0 at the end of the epochs; stages:
   * falls to a tenth in 8 stages of 1, 3, 9 … 2187 epochs (--stages).
   */
  readonly learningRateSchedule?: Fields['learningRateSchedule'];
  /** Epochs in which the learning rate rises from 0. */
  readonly warmupEpochs?: Fields['warmupEpochs'];
  /** Largest norm of a step's gradient, over all parameters: a longer one is scaled down to it. */
  readonly clipNorm?: Fields['clipNorm'];
  /**
   * Decay of the moving average of the parameters, e.g. 0.999, by which the test set is evaluated and
   * pictures are made (docs/models.md).
   */
  readonly emaDecay?: Fields['emaDecay'];
  /** Passes over the training images. */
  readonly epochs: Fields['epochs'];
  /**
   * portable: the same bits on every machine; fused (multiply-adds rounded once): faster, the same bits on
   * every machine that fuses.
   */
  readonly arithmetic: Fields['arithmetic'];
  /**
   * What computes the gradients: simd (this package), or TensorFlow.js on wasm, native (tfjs-node) or cpu
   * (docs/backends.md).
   */
  readonly backend: Fields['backend'];
  /**
   * What a step does whose loss, gradient or update is NaN or infinite: stop, the run ends with the state
   * before it; skip, the run goes on as if the step had no examples (docs/runs.md).
   */
  readonly onNan?: Fields['onNan'];
}
