// The two arithmetic modes: what a test of a kernel that multiplies and adds runs over.
import type { Arithmetic } from '#src/kernels/kernels.js';
import { canFuse } from '#src/kernels/platform.js';
import { fusedMultiplyAdd, multiplyAdd } from './float32.js';

export interface ArithmeticMode {
  readonly arithmetic: Arithmetic;
  /** On float32 numbers. */
  readonly multiplyAdd: (a: number, b: number, c: number) => number;
  /** For node:test. */
  readonly skip: string | false;
}

export const noFusing = canFuse() ? false : 'multiply-adds are not fused here';

export const modes: readonly ArithmeticMode[] = [
  { arithmetic: 'portable', multiplyAdd, skip: false },
  { arithmetic: 'fused', multiplyAdd: fusedMultiplyAdd, skip: noFusing },
];
