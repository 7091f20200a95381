/**
 * ½ (1 + cos πu) for u in [0, 1]: exactly 1 at 0 and 0 at 1. It is cos²(πu/2), which is sin²(π(1 − u)/2), so
 * neither half subtracts what is nearly equal. The Taylor series on [0, π/4] leave out less than 2⁻⁵⁸; with
 * the roundings the result is within 8 · 2⁻⁵³ of itself. Math.cos may differ between engines, sums and
 * products do not.
 */
export function halfCosine(u: number): number {
  const root = u <= 0.5 ? cosQuarter(u * HALF_PI) : sinQuarter((1 - u) * HALF_PI);
  return root * root;
}

const HALF_PI = 1.5707963267948966;

/** cos x, |x| ≤ π/4: to x¹⁶ / 16!. */
function cosQuarter(x: number): number {
  const t = x * x;
  let sum = 1;
  for (let n = 16; n > 0; n -= 2) sum = 1 - (t / (n * (n - 1))) * sum;
  return sum;
}

/** sin x, |x| ≤ π/4: to x¹⁷ / 17!. */
function sinQuarter(x: number): number {
  const t = x * x;
  let sum = 1;
  for (let n = 17; n > 1; n -= 2) sum = 1 - (t / (n * (n - 1))) * sum;
  return x * sum;
}
