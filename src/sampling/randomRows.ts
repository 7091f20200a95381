/**
 * Random numbers as a pure function of (seed, purpose, position, step): see Purpose in kernels/stream.ts. A
 * longer row begins with the numbers of a shorter one.
 */
export interface RandomRows {
  /** Fills `target` with standard normal numbers. */
  normal(target: Float32Array, position: number, step: number, purpose: number): void;

  /** Fills `target` with numbers uniform in [0, 1). */
  uniform(target: Float32Array, position: number, step: number, purpose: number): void;
}
