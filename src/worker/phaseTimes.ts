import type { Address } from '../kernels/address.js';

/** What a rank's time goes to. */
export const PHASES = ['prepare', 'gradient', 'update', 'barrier', 'snapshot'] as const;
export type PhaseName = (typeof PHASES)[number];

/** Bytes of the times of a rank. */
export const PHASE_TIMES_BYTES = PHASES.length * Float64Array.BYTES_PER_ELEMENT;

/** Where a rank's time has gone, milliseconds. */
export class PhaseTimes {
  readonly #times: Float64Array;

  /** @param address of PHASE_TIMES_BYTES. */
  constructor(buffer: ArrayBufferLike, address: Address) {
    this.#times = new Float64Array(buffer, address, PHASES.length);
  }

  add(phase: PhaseName, milliseconds: number): void {
    this.#times[PHASES.indexOf(phase)]! += milliseconds;
  }

  /** Share of the time since `reset` that a phase has had. */
  share(phase: PhaseName): number {
    return this.#times[PHASES.indexOf(phase)]! / this.#times.reduce((sum, time) => sum + time, 0);
  }

  reset(): void {
    this.#times.fill(0);
  }
}
