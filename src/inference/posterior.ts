/** Parameters of q(z|x) = N(mu, diag(exp(logvar))), each [n, latent]. */
export interface Posterior {
  readonly mu: Float32Array;
  readonly logvar: Float32Array;
}
