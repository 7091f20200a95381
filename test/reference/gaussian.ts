// The approximate posterior q(z|x) = N(μ, diag(exp(logvar))), its samples and its KL to the prior N(0, I).
// `posterior` is the encoder's output [n, 2d]: μ, then logvar. `epsilon` and `z` are [n, K, d].

/** Which KL enters the loss: the closed form, or the mean over the samples of log q(z|x) − log p(z). */
export type KlKind = 'analytic' | 'monteCarlo';

/** z_k = μ + exp(½ logvar) ⊙ ε_k. */
export function reparameterise(
  posterior: Float64Array,
  epsilon: Float64Array,
  samples: number,
  latent: number,
): Float64Array {
  return epsilon.map((noise, index) => {
    const example = Math.floor(index / (samples * latent));
    const mu = posterior[example * 2 * latent + (index % latent)]!;
    const logvar = posterior[example * 2 * latent + latent + (index % latent)]!;
    return mu + Math.exp(logvar / 2) * noise;
  });
}

/** ½ Σ_j (μ² + exp(logvar) − logvar − 1) per example, [n], in nats (Kingma and Welling 2014, appendix B). */
export function klAnalytic(posterior: Float64Array, latent: number): Float64Array {
  const kl = new Float64Array(posterior.length / (2 * latent));
  for (let example = 0; example < kl.length; example++) {
    for (let j = 0; j < latent; j++) {
      const mu = posterior[example * 2 * latent + j]!;
      const logvar = posterior[example * 2 * latent + latent + j]!;
      kl[example]! += (mu * mu + Math.exp(logvar) - logvar - 1) / 2;
    }
  }
  return kl;
}

/** (1/K) Σ_k [log q(z_k|x) − log p(z_k)] = (1/K) Σ_k ½ Σ_j (z² − logvar − ε²), [n], in nats: 2π cancels. */
export function klMonteCarlo(
  posterior: Float64Array,
  epsilon: Float64Array,
  z: Float64Array,
  samples: number,
  latent: number,
): Float64Array {
  const kl = new Float64Array(posterior.length / (2 * latent));
  for (let index = 0; index < z.length; index++) {
    const example = Math.floor(index / (samples * latent));
    const logvar = posterior[example * 2 * latent + latent + (index % latent)]!;
    kl[example]! += (z[index]! ** 2 - logvar - epsilon[index]! ** 2) / (2 * samples);
  }
  return kl;
}

/**
 * The gradient of −log-likelihood + klScale · KL with regard to the posterior, [n, 2d].
 * `dz` [n, K, d] is the decoder's part, −d(log-likelihood)/dz; the Monte-Carlo KL also reaches μ and logvar
 * through z.
 */
export function gaussianBackward(
  posterior: Float64Array,
  epsilon: Float64Array,
  z: Float64Array,
  dz: Float64Array,
  samples: number,
  latent: number,
  kl: KlKind,
  klScale: number,
): Float64Array {
  const dPosterior = new Float64Array(posterior.length);
  for (let index = 0; index < z.length; index++) {
    const example = Math.floor(index / (samples * latent));
    const mu = example * 2 * latent + (index % latent);
    const logvar = mu + latent;
    const dzTotal = dz[index]! + (kl === 'monteCarlo' ? (klScale * z[index]!) / samples : 0);
    dPosterior[mu]! += dzTotal;
    dPosterior[logvar]! += dzTotal * epsilon[index]! * 0.5 * Math.exp(posterior[logvar]! / 2);
  }
  for (let mu = 0; mu < posterior.length; mu++) {
    if (mu % (2 * latent) >= latent) continue;
    const logvar = mu + latent;
    if (kl === 'analytic') {
      dPosterior[mu]! += klScale * posterior[mu]!;
      dPosterior[logvar]! += (klScale * (Math.exp(posterior[logvar]!) - 1)) / 2;
    } else {
      dPosterior[logvar]! -= klScale / 2;
    }
  }
  return dPosterior;
}
