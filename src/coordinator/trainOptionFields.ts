// Written by scripts/reference.mjs from the tables: "npm run generate:reference" writes it anew.
import type { OptionsOf } from '../model/field.js';
import type { HYPERPARAMETERS } from '../runs/hyperparameters.js';
import type { RUN_OPTIONS } from './runOptions.js';

type Options = Required<OptionsOf<typeof HYPERPARAMETERS> & OptionsOf<typeof RUN_OPTIONS>>;

/**
 * What `train` takes: everything has a default, by the model where the model recommends one.
 * docs/options.md has the same in a table.
 */
export interface TrainOptions {
  /**
   * cvae (convolutional), mlp (dense), iwae (the dense network of the IWAE paper, trained by the ELBO; by
   * the importance-weighted bound with train --objective iwae), or a JSON file of your own (docs/models.md).
   * Default: cvae.
   */
  readonly model?: Options['model'];
  /** d: dimensions of z. Default: the model's: cvae 2, mlp 20, iwae 50. */
  readonly latent?: Options['latent'];
  /**
   * Directory of IDX files, plain or gzip (docs/data.md): train-images-idx3-ubyte and the like. Default: the
   * full MNIST (comes with the package).
   */
  readonly data?: Options['data'];
  /**
   * Grey pixels become x by: threshold (grey > 127), dynamic (drawn at each visit), static (drawn once),
   * none (kept as Bernoulli means). Default: the model's: cvae threshold, mlp none, iwae dynamic; none with
   * --likelihood gaussian.
   */
  readonly binarize?: Options['binarize'];
  /** Seed of weights, noise, order and drawn pixels: unsigned, 64 bits. Default: 0. */
  readonly seed?: Options['seed'];
  /** Images of a step. Default: the model's: cvae 32, mlp 128, iwae 20. */
  readonly batchSize?: Options['batchSize'];
  /** Slices of a batch, which decide the order of sums. Default: 8. */
  readonly shards?: Options['shards'];
  /** K: draws of z an example, averaged: less noise, the same bound. Default: the model's: 1. */
  readonly samples?: Options['samples'];
  /**
   * The KL term: analytic, or monte-carlo (as in TensorFlow's tutorial). Default: the objective's: elbo
   * analytic, iwae monte-carlo.
   */
  readonly kl?: Options['kl'];
  /** Weight of the KL term. Default: 1. */
  readonly beta?: Options['beta'];
  /** Epochs in which the weight rises from 0 to beta. Default: 0: no warm-up. */
  readonly klWarmupEpochs?: Options['klWarmupEpochs'];
  /** The optimizer's, before its schedule. Default: the model's: cvae 0.0001, mlp and iwae 0.001. */
  readonly learningRate?: Options['learningRate'];
  /** What is maximised: elbo, or iwae, the importance-weighted bound of --samples draws. Default: elbo. */
  readonly objective?: Options['objective'];
  /**
   * How the encoder's gradient is estimated: reparameterized, score-function (with a baseline from other
   * draws: score-function-baseline), sticking-the-landing, doubly-reparameterized (docs/mathematics.md).
   * Default: reparameterized.
   */
  readonly estimator?: Options['estimator'];
  /**
   * What the decoder is trained on: variational, the draws of the objective; hmc, draws from p(z|x) that HMC
   * makes of them (docs/models.md). Default: variational.
   */
  readonly inference?: Options['inference'];
  /** Transitions of HMC in a step, from a draw of q(z|x). Default: by inference: hmc 1. */
  readonly hmcTransitions?: Options['hmcTransitions'];
  /**
   * Leapfrog steps of a transition: a pass through the decoder and back each. Default: by inference: hmc 5.
   */
  readonly hmcLeapfrogSteps?: Options['hmcLeapfrogSteps'];
  /** Size of a leapfrog step, in standard deviations of q(z|x). Default: by inference: hmc 0.3. */
  readonly hmcStepSize?: Options['hmcStepSize'];
  /** p(x|z): bernoulli, or gaussian with a fixed --sigma. Default: bernoulli. */
  readonly likelihood?: Options['likelihood'];
  /** Standard deviation of a pixel around its mean. Default: by likelihood: gaussian 0.2. */
  readonly sigma?: Options['sigma'];
  /**
   * p(z): standard-normal, or mixture, of --prior-components Gaussians that are learned with the model.
   * Default: standard-normal.
   */
  readonly prior?: Options['prior'];
  /** Gaussians in the mixture, C. Default: by prior: mixture 10. */
  readonly priorComponents?: Options['priorComponents'];
  /** What turns gradients into updates. Default: adam. */
  readonly optimizer?: Options['optimizer'];
  /**
   * Share of a weight that decays in a step, before the learning rate. Default: by optimizer: adamw 0.01.
   */
  readonly weightDecay?: Options['weightDecay'];
  /** Share of the velocity that is left after a step. Default: by optimizer: sgd 0. */
  readonly momentum?: Options['momentum'];
  /**
   * constant; warmup: rises over --warmup-epochs; cosine: then falls to 0 at the end of the epochs; stages:
   * falls to a tenth in 8 stages of 1, 3, 9 … 2187 epochs (--stages). Default: constant.
   */
  readonly learningRateSchedule?: Options['learningRateSchedule'];
  /**
   * Epochs in which the learning rate rises from 0. Default: by learning-rate schedule: warmup 1, cosine 0.
   */
  readonly warmupEpochs?: Options['warmupEpochs'];
  /**
   * Largest norm of a step's gradient, over all parameters: a longer one is scaled down to it. Default: 0:
   * none.
   */
  readonly clipNorm?: Options['clipNorm'];
  /**
   * Decay of the moving average of the parameters, e.g. 0.999, by which the test set is evaluated and
   * pictures are made (docs/models.md). Default: 0: no average.
   */
  readonly emaDecay?: Options['emaDecay'];
  /** Passes over the training images. Default: the model's: 10. */
  readonly epochs?: Options['epochs'];
  /**
   * portable: the same bits on every machine; fused (multiply-adds rounded once): faster, the same bits on
   * every machine that fuses. Default: fused where this machine fuses; a resumed run's own.
   */
  readonly arithmetic?: Options['arithmetic'];
  /**
   * What computes the gradients: simd (this package), or TensorFlow.js on wasm, native (tfjs-node) or cpu
   * (docs/backends.md). Default: simd; a resumed run's own.
   */
  readonly backend?: Options['backend'];
  /**
   * What a step does whose loss, gradient or update is NaN or infinite: stop, the run ends with the state
   * before it; skip, the run goes on as if the step had no examples (docs/runs.md). Default: stop; a resumed
   * run's own.
   */
  readonly onNan?: Options['onNan'];
  /**
   * Epochs as stages of --learning-rate-schedule stages: 1 to 8 stages are 1, 4, 13, 40, 121, 364, 1093 or
   * 3280 epochs. Default: none: --epochs counts.
   */
  readonly stages?: Options['stages'];
  /** Stop after this many steps of the whole run, in the middle of an epoch if need be. Default: none. */
  readonly maxSteps?: Options['maxSteps'];
  /** The new run's directory. Default: runs/<model>-<n>, the first n that is free. */
  readonly out?: Options['out'];
  /**
   * Go on with the run of this directory, bit for bit; what decides its bits is the run's own. Default:
   * none: a new run.
   */
  readonly resume?: Options['resume'];
  /**
   * Start a new run from a published recipe; flags stand above it. iwae-paper: Burda et al. 2016, K = 5, all
   * 8 stages (docs/models.md). Default: none.
   */
  readonly preset?: Options['preset'];
  /**
   * Start a new run from this file: another run's config.json, or one written by hand with what matters;
   * flags stand above it. Default: none.
   */
  readonly config?: Options['config'];
  /**
   * Worker threads of each process, at most one a shard; their number changes no bit. Default: all cores, at
   * most --shards.
   */
  readonly workers?: Options['workers'];
  /**
   * Train together with the other processes that mpirun or srun has started (docs/cluster.md); --no-mpi:
   * alone. Default: on where they are several.
   */
  readonly mpi?: Options['mpi'];
  /** The MPI library, or the folder of an installation. Default: found (docs/cluster.md). */
  readonly mpiLibrary?: Options['mpiLibrary'];
  /** Refuse to train unless there are so many processes. Default: as many as there are. */
  readonly worldSize?: Options['worldSize'];
  /**
   * Hold the training images of the shards of this process alone, read anew for each epoch; changes no bit
   * (docs/cluster.md). Default: off: each process holds all.
   */
  readonly shardData?: Options['shardData'];
  /** Let V8 pair operations to 256 bits where that is known to work; changes no bit. Default: on. */
  readonly revectorize?: Options['revectorize'];
  /** Tile of the micro-kernels; changes no bit. Default: the fastest known for this Node. */
  readonly tile?: Options['tile'];
  /** Seconds after which a worker that no longer answers counts as dead. Default: 60. */
  readonly barrierTimeout?: Options['barrierTimeout'];
  /**
   * Samples, reconstructions and (d = 2) the manifold after each epoch; --no-pictures: none. Default: on.
   */
  readonly pictures?: Options['pictures'];
  /**
   * Test images that the event `preview` has after each epoch. The flag `--preview` is a switch. Default: no
   * such event.
   */
  readonly preview?: Options['preview'];
  /**
   * Write a checkpoint after so many steps, or so long after the last one, beside the one at each epoch's
   * end; changes no bit. Default: none but those at epochs' ends.
   */
  readonly checkpointEvery?: Options['checkpointEvery'];
  /** How many checkpoints stay, the newest ones. Default: 3. */
  readonly keepCheckpoints?: Options['keepCheckpoints'];
  /** Steps between lines of metrics.jsonl. Default: 100. */
  readonly logEvery?: Options['logEvery'];
  /** Aborting it stops the run after the step at hand, with a checkpoint. Default: none. */
  readonly signal?: Options['signal'];
  /** Called with each event of the run (docs/library.md). Default: none. */
  readonly onEvent?: Options['onEvent'];
  /**
   * Functions that are told of steps, epochs and checkpoints, and may stop the run (docs/library.md).
   * Default: none.
   */
  readonly hooks?: Options['hooks'];
}
