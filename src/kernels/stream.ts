/** A key of the counter-based generator: the two halves of an unsigned 64-bit seed. */
export interface RandomKey {
  readonly low: number;
  readonly high: number;
}

/** @param seed unsigned, below 2^64. */
export function randomKey(seed: bigint): RandomKey {
  return { low: Number(BigInt.asUintN(32, seed)), high: Number(BigInt.asUintN(32, seed >> 32n)) };
}

/**
 * What random numbers are for: the last word of the counter. The other words are block within a row, position
 * (example, parameter tensor) and step or epoch; so no two uses ever share a number. Part of the bit
 * contract: never renumber.
 */
export const Purpose = {
  /** Glorot weights; position = index of the tensor. */
  initialization: 1,
  /** Order of the examples; step = epoch. */
  epochOrder: 2,
  /** epsilon in training; position = place in the global batch, step = step. */
  trainingNoise: 3,
  /** Dynamic binarisation of training images; position = image, step = epoch. */
  trainingBinarization: 4,
  /** epsilon in evaluation; position = example. */
  evaluationNoise: 5,
  /** Dynamic and static binarisation of test images; position = image. */
  evaluationBinarization: 6,
  /** z drawn from the prior; position = sample. */
  prior: 7,
  /** Pixels drawn from the decoder's distribution; position = sample. */
  pixels: 8,
  /** Static binarisation of training images, drawn once; position = image. */
  staticBinarization: 9,
  /** epsilon of reconstructions; position = example. */
  reconstructionNoise: 10,
  /** epsilon of importance weights; position = example, step = block of draws. */
  importanceNoise: 11,
  /** z₀ of annealed importance sampling; position = example, step = first one of the run. */
  annealingPrior: 12,
  /** Momenta of HMC; position = example, step = transition. */
  momentum: 13,
  /** Acceptance and step size of HMC; position = example, step = transition. */
  acceptance: 14,
  /** Momenta of the run that tunes step sizes alone; position = example, step = transition. */
  pilotMomentum: 15,
  /** Acceptance and step size of that run; position = example, step = transition. */
  pilotAcceptance: 16,
  /** z₀ of that run; position = example, step = first one of the run. */
  pilotPrior: 17,
  /** z of data drawn from the model; position = sample. */
  simulatedLatent: 18,
  /** Pixels of data drawn from the model; position = sample. */
  simulatedPixels: 19,
  /** epsilon of draws from q(z|x), and of those that HMC chains start from; position = example. */
  posteriorStart: 20,
  /** epsilon of the optimisation of q(z|x) for one example; position = example, step = step. */
  gapNoise: 21,
  /** epsilon of gradients that are compared; position = example, step = draw. */
  estimatorNoise: 22,
  /**
   * Momenta of HMC in training; position = place in the global batch, step = step · transitions of a step +
   * transition.
   */
  trainingMomentum: 23,
  /** Acceptance and step size of HMC in training; position and step as its momenta. */
  trainingAcceptance: 24,
  /** The component of a mixture for a z of the purpose prior, at its position. */
  priorComponent: 25,
  /** The same for annealingPrior; its position and step. */
  annealingComponent: 26,
  /** The same for pilotPrior. */
  pilotComponent: 27,
  /** The same for simulatedLatent. */
  simulatedComponent: 28,
} as const;

/** Purposes of a draw from the prior: of its standard normal numbers, and of its uniform ones. */
export interface PriorPurpose {
  readonly normal: number;
  readonly uniform: number;
}

/** By what the draws are for. */
export const PRIOR_PURPOSES = {
  sample: { normal: Purpose.prior, uniform: Purpose.priorComponent },
  annealing: { normal: Purpose.annealingPrior, uniform: Purpose.annealingComponent },
  pilot: { normal: Purpose.pilotPrior, uniform: Purpose.pilotComponent },
  simulation: { normal: Purpose.simulatedLatent, uniform: Purpose.simulatedComponent },
} as const satisfies Readonly<Record<string, PriorPurpose>>;
