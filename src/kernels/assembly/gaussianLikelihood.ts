// The decoder's likelihood with values around its output: log p(x|z) = log N(x; m, σ² I), m the output, in
// nats.
//
// Bound of the error. u = 2⁻²⁴. x − m is rounded once and its square once, so a term errs by 3u of itself at
// most; the sum, the factor and the normaliser are float64, which adds some 10⁻¹³ of the row.

import { accumulateDouble, laneMask, storeLanes, sumDoubleLanes } from './lanes';
import { logDouble } from './elementaryDouble';

/** ½ log 2π. */
const HALF_LOG_TWO_PI: f64 = 0.9189385332046727;

/**
 * logLikelihood[r] (float64, nats) of means row r, [rows, dimensions], given example r / samples of x:
 * −½ Σ_i ((x_i − m_i) / σ)² − dimensions · (½ log 2π + log σ).
 * With dMeans ≠ 0 also d(−log p(x|z) · scale)/dm = (m − x) · scale / σ², [rows, dimensions].
 */
export function gaussianLikelihood(
  means: usize,
  x: usize,
  rows: i32,
  samples: i32,
  dimensions: i32,
  sigma: f64,
  scale: f32,
  logLikelihood: usize,
  dMeans: usize,
): void {
  const precision: f64 = 1 / (sigma * sigma);
  const factor = f32x4.splat(<f32>(<f64>scale * precision));
  const normaliser = <f64>dimensions * (HALF_LOG_TWO_PI + logDouble(sigma));
  for (let row = 0; row < rows; row++) {
    const m = means + ((<usize>(row * dimensions)) << 2);
    const t = x + ((<usize>((row / samples) * dimensions)) << 2);
    const d = dMeans + ((<usize>(row * dimensions)) << 2);
    let sum0 = f64x2.splat(0);
    let sum1 = f64x2.splat(0);
    let i = 0;
    for (; i + 8 <= dimensions; i += 8) {
      const at = (<usize>i) << 2;
      const difference0 = f32x4.sub(v128.load(m + at), v128.load(t + at));
      const difference1 = f32x4.sub(v128.load(m + at, 16), v128.load(t + at, 16));
      sum0 = accumulateDouble(sum0, f32x4.mul(difference0, difference0));
      sum1 = accumulateDouble(sum1, f32x4.mul(difference1, difference1));
      if (dMeans) {
        v128.store(d + at, f32x4.mul(difference1, factor), 16);
        v128.store(d + at, f32x4.mul(difference0, factor));
      }
    }
    for (; i < dimensions; i += 4) {
      const at = (<usize>i) << 2;
      const difference = f32x4.sub(v128.load(m + at), v128.load(t + at));
      const square = v128.and(f32x4.mul(difference, difference), laneMask(dimensions - i));
      sum0 = accumulateDouble(sum0, square);
      if (dMeans) storeLanes(d + at, f32x4.mul(difference, factor), dimensions - i);
    }
    const squares = sumDoubleLanes(f64x2.add(sum0, sum1));
    store<f64>(logLikelihood + ((<usize>row) << 3), -0.5 * precision * squares - normaliser);
  }
}
