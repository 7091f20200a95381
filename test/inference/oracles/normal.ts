// The density of N(0, covariance) in float64.

/** Lower triangle L of a positive definite matrix L Lᵀ, [n, n]. */
export function choleskyOf(matrix: Float64Array): Float64Array {
  const n = Math.sqrt(matrix.length);
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * n + k]! * factor[j * n + k]!;
      factor[i * n + j] = i === j ? Math.sqrt(sum) : sum / factor[j * n + j]!;
    }
  }
  return factor;
}

/** L y = right. */
function forward(factor: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const y = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) y[i]! -= factor[i * n + k]! * y[k]!;
    y[i]! /= factor[i * n + i]!;
  }
  return y;
}

/** L Lᵀ y = right. */
export function solveCholesky(factor: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const y = forward(factor, right);
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) y[i]! -= factor[k * n + i]! * y[k]!;
    y[i]! /= factor[i * n + i]!;
  }
  return y;
}

/** log N(x; 0, covariance), nats. */
export function logNormal(x: Float64Array, covariance: Float64Array): number {
  const n = x.length;
  const factor = choleskyOf(covariance);
  const y = forward(factor, x);
  let sum = n * Math.log(2 * Math.PI);
  for (let i = 0; i < n; i++) sum += y[i]! ** 2 + 2 * Math.log(factor[i * n + i]!);
  return -sum / 2;
}
