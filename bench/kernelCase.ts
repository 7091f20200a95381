// One kernel at one shape: how to set it up, run it, verify it, and count its work. Tests and benchmarks
// share the cases.

import type { Workbench } from './workbench.js';

export interface KernelCase {
  /**
   * The kernel's name; gemm, filterGradient, treeGradient and sumRows stand for those of the workbench's
   * tile.
   */
  readonly kernel: string;
  readonly model: string;
  /** What it computes there, with the extents that matter. */
  readonly shape: string;
  /** The work of one run: floating-point operations, or bytes that the algorithm reads and writes. */
  readonly work: { readonly unit: 'operations' | 'bytes'; readonly amount: number };
  readonly prepare: (bench: Workbench) => PreparedCase;
}

export interface PreparedCase {
  /** Fills inputs, and outputs with what no kernel writes. */
  reset(): void;
  run(): void;
  /** After `reset` and one `run`. @throws Error that names the first wrong value. */
  check(): void;
  /**
   * Changes inputs that repeated runs in place would drive into subnormal numbers or to infinity, which have
   * other speeds.
   */
  steady?(): void;
}

/** What is in an output that was not written. */
export const UNWRITTEN = -12345;

export function caseName({ kernel, model, shape }: KernelCase): string {
  return `${kernel} ${model} ${shape}`;
}

/** @throws Error where an element is not within `bound` of `value`; NaN never is. */
export function assertWithin(
  actual: ArrayLike<number>,
  { value, bound }: { readonly value: ArrayLike<number>; readonly bound: ArrayLike<number> },
  what: string,
): void {
  for (let i = 0; i < value.length; i++) {
    if (!(Math.abs(actual[i]! - value[i]!) <= bound[i]!)) {
      throw new Error(`${what}: element ${i} is ${actual[i]}, expected ${value[i]} ± ${bound[i]}.`);
    }
  }
}

/** @throws Error where two elements differ. */
export function assertSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) {
      throw new Error(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]}.`);
    }
  }
}

/** The results of a function, computed once: references are dear, and the same for all tiles. */
export function once<T>(compute: () => T): () => T {
  let value: { readonly result: T } | undefined;
  return () => {
    value ??= { result: compute() };
    return value.result;
  };
}
