/**
 * The norm of a vector as the kernel squaredNorms and the sum over units make it: squares in four sums by
 * turns, those of even and odd places of a pair together, then units in their order.
 */
export function normInUnits(x: Float32Array, unit: number): number {
  return Math.sqrt(squaresOfUnits(x, unit).reduce((sum, square) => sum + square, 0));
}

/** The squared norm of each unit, in float64. */
export function squaresOfUnits(x: Float32Array, unit: number): Float64Array {
  return Float64Array.from({ length: Math.ceil(x.length / unit) }, (_, i) => {
    const values = x.subarray(i * unit, (i + 1) * unit);
    const whole = values.length - (values.length % 4);
    const sums = [0, 0, 0, 0];
    for (let at = 0; at < whole; at++) sums[at % 4]! += values[at]! ** 2;
    let sum = sums[0]! + sums[2]! + (sums[1]! + sums[3]!);
    for (const value of values.subarray(whole)) sum += value ** 2;
    return sum;
  });
}
