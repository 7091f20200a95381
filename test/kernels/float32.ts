// Single precision for references: arithmetic, error bounds, values to compute with.

/** Largest relative error of one rounding to nearest: half a unit in the last place of 1. */
export const roundoff = 2 ** -24;

/** Half the smallest subnormal: the largest error of a rounding that underflows. */
export const underflow = 2 ** -150;

/** γₙ = n u / (1 − n u): bound of the relative error of n roundings in a row (Higham 2002, lemma 3.1). */
export function gamma(n: number): number {
  return (n * roundoff) / (1 - n * roundoff);
}

/**
 * Product and sum, each rounded to float32 as the portable mode has it. The float64 operations in between do
 * not change a bit: products of two float32 are exact, and sums are rounded twice without harm (53 ≥ 2 · 24 +
 * 2 bits).
 */
export function multiplyAdd(a: number, b: number, c: number): number {
  return Math.fround(Math.fround(a * b) + c);
}

/**
 * Product and sum rounded once, as the fused mode has it.
 *
 * The product is exact in float64 (48 bits of 53, exponents far from its limits). The sum and its rounding
 * error are exact by TwoSum (Knuth, TAOCP 2, 4.2.2, theorem B). Where the error is not 0, the exact result
 * lies between two neighbouring float64 numbers; of those the one with an odd last bit is taken, and rounding
 * that to float32 rounds the exact result: an odd number of 53 bits is never a tie of 24 bits or less, nor
 * beyond one that the exact result is not beyond (Boldo and Melquiond 2008: 53 ≥ 24 + 2).
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return sum;
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  return Math.fround(error === 0 ? sum : roundToOdd(sum, error));
}

/** `sum`, or where that is even its neighbour on the side of the error. */
function roundToOdd(sum: number, error: number): number {
  bits.setFloat64(0, sum);
  const pattern = bits.getBigUint64(0);
  if (pattern & 1n) return sum;
  bits.setBigUint64(0, sum > 0 === error > 0 ? pattern + 1n : pattern - 1n);
  return bits.getFloat64(0);
}

export function add(a: number, b: number): number {
  return Math.fround(a + b);
}

/** Distance between float32 numbers at the size of `exact`. */
export function ulp(exact: number): number {
  const magnitude = Math.min(Math.abs(exact), LARGEST);
  if (magnitude < 2 ** -126) return 2 ** -149;
  bits.setFloat64(0, magnitude);
  return 2 ** ((bits.getUint32(0) >>> 20) - 1023 - 23);
}

const LARGEST = 2 ** 128 - 2 ** 104;
const bits = new DataView(new ArrayBuffer(8));

/**
 * Error of a float32 result in units in the last place of the exact one. An overflow counts as 2^128; NaN
 * counts as 0 where NaN is right, else as infinity.
 */
export function ulpError(actual: number, exact: number): number {
  if (Object.is(actual, Math.fround(exact)))
    return Math.abs(exact) > LARGEST ? 0 : Math.abs(actual - exact) / ulp(exact);
  if (Number.isNaN(actual) || Number.isNaN(exact)) return Number.POSITIVE_INFINITY;
  return Math.abs(finite(actual) - finite(exact)) / ulp(exact);
}

function finite(value: number): number {
  return Math.abs(value) > LARGEST ? Math.sign(value) * 2 ** 128 : value;
}

/** The float32 of a bit pattern. */
export function fromBits(pattern: number): number {
  bits.setUint32(0, pattern);
  return bits.getFloat32(0);
}

/** A stream of 32-bit words (xorshift; Marsaglia 2003): test data need no more. */
export function words(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Signed values of many sizes, 2⁻⁶ to 8, and every sixteenth a zero of either sign. */
export function sampleFloats(seed: number, count: number): Float32Array {
  const next = words(seed);
  return Float32Array.from({ length: count }, () => {
    const word = next();
    const sign = word & 1 ? -1 : 1;
    if ((word & 0x1e) === 0) return sign * 0;
    return sign * (1 + next() / 2 ** 32) * 2 ** ((next() % 9) - 6);
  });
}
