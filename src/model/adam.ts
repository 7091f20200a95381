/** α, β₁, β₂ and ε of Kingma and Ba (2015), algorithm 1. */
export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The published defaults. */
export const ADAM_DEFAULTS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** The factors of update t (from 1): bias corrections included. */
export interface AdamFactors {
  /** α / (1 − β₁ᵗ). */
  stepSize: number;
  /** 1 / √(1 − β₂ᵗ). */
  rootCorrection: number;
}

/** Fills `factors` for update t, from 1. */
export function adamFactors(
  { learningRate, beta1, beta2 }: AdamOptions,
  t: number,
  factors: AdamFactors,
): void {
  factors.stepSize = learningRate / (1 - power(beta1, t));
  factors.rootCorrection = 1 / Math.sqrt(1 - power(beta2, t));
}

/** base^exponent by squaring: Math.pow may differ between engines, products do not. */
export function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
