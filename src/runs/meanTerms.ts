/** Means over examples, in nats. */
export interface MeanTerms {
  readonly elbo: number;
  /** Mean of (1/K) Σ_k log p(x|z_k). */
  readonly logLikelihood: number;
  readonly kl: number;
  /**
   * The objective's bound, e.g. L_K of the importance-weighted one; absent where the objective is the ELBO.
   */
  readonly bound?: number;
  /** Mean acceptance probability of HMC, in training with `inference` hmc alone. */
  readonly acceptance?: number;
  /** Mean norm of the steps' gradients before they are clipped, in training with `clipNorm` alone. */
  readonly gradientNorm?: number;
  /** Share of the examples whose step's gradient was clipped. */
  readonly clipped?: number;
}
