/** The mean of independent values, and its standard error. */
export function meanWithError(values: ArrayLike<number>): { mean: number; error: number } {
  const n = values.length;
  const mean = Array.from(values).reduce((sum, value) => sum + value / n, 0);
  const variance = Array.from(values).reduce((sum, value) => sum + (value - mean) ** 2 / (n - 1), 0);
  return { mean, error: Math.sqrt(variance / n) };
}
