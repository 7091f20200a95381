// Draws from p(z|x) by HMC: warm-up that adapts the step sizes, then draws at fixed ones.
import { exp, log } from '../arithmetic/exponential.js';
import { HmcChains, type HmcOptions, TRANSITIONS } from './hmc.js';
import { AdaptedSteps, TARGET_ACCEPTANCE } from './stepSize.js';

export interface PosteriorSampling extends Omit<HmcOptions, 'stream'> {
  /** Where the chains start, [examples, chains, latent]. */
  readonly start: Float32Array;
  /** Transitions that adapt the step sizes and are thrown away, at least 2. */
  readonly warmup: number;
  /** Draws of each chain after that. */
  readonly draws: number;
  /** Transitions from one draw to the next; default 1. */
  readonly thin?: number;
  /** The acceptance that the step sizes are adapted to; default 0.65. */
  readonly targetAcceptance?: number;
  /** Called after each transition, of warmup + draws · thin. */
  readonly onTransition?: (done: number) => void;
}

export interface PosteriorSamples {
  /** [examples, chains, draws, latent]. */
  readonly z: Float32Array;
  /** log p(x|z) of each draw, nats, [examples, chains, draws]. */
  readonly logLikelihood: Float64Array;
  /** Mean acceptance probability after the warm-up, [examples]. */
  readonly acceptance: Float64Array;
  /** [examples]. */
  readonly stepSizes: Float64Array;
}

/** The gain at transition t of the warm-up is GAIN / √(t + 1). */
const GAIN = 1;

/** @throws NotFiniteError where log p(x|z) is not finite at the start. */
export function samplePosterior(sampling: PosteriorSampling): PosteriorSamples {
  const { density, positions, start, warmup, draws, thin = 1, onTransition } = sampling;
  const { chains, latent } = density;
  const examples = positions.length;
  const hmc = new HmcChains({ ...sampling, stream: TRANSITIONS.posterior }, start);
  const stepSizes = warmUp(hmc, examples, sampling);
  const z = new Float32Array(examples * chains * draws * latent);
  const logLikelihood = new Float64Array(examples * chains * draws);
  const acceptance = new Float64Array(examples);
  for (let transition = 0; transition < draws * thin; transition++) {
    hmc.transition(warmup + transition, 1, stepSizes);
    hmc.acceptance.forEach((value, example) => {
      acceptance[example]! += value / (draws * thin);
    });
    if ((transition + 1) % thin === 0) {
      const draw = Math.floor(transition / thin);
      for (let row = 0; row < examples * chains; row++) {
        const at = row * draws + draw;
        z.set(hmc.z.subarray(row * latent, (row + 1) * latent), at * latent);
        logLikelihood[at] = hmc.logLikelihood[row]!;
      }
    }
    onTransition?.(warmup + transition + 1);
  }
  return { z, logLikelihood, acceptance, stepSizes };
}

/** The step sizes are the geometric means over the second half of the warm-up (Polyak and Juditsky 1992). */
function warmUp(hmc: HmcChains, examples: number, sampling: PosteriorSampling): Float64Array {
  const { warmup, targetAcceptance = TARGET_ACCEPTANCE, onTransition } = sampling;
  const steps = new AdaptedSteps(examples, targetAcceptance);
  const half = Math.floor(warmup / 2);
  const logs = new Float64Array(examples);
  for (let transition = 0; transition < warmup; transition++) {
    hmc.transition(transition, 1, steps.sizes);
    steps.adapt(hmc.acceptance, GAIN / Math.sqrt(transition + 1));
    if (transition >= half) {
      steps.sizes.forEach((size, example) => {
        logs[example]! += log(size) / (warmup - half);
      });
    }
    onTransition?.(transition + 1);
  }
  return logs.map((value) => exp(value));
}
