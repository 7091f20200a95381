// What MPI libraries with fault tolerance (ULFM) add: processes that are left go on without those that have
// died. Names and numbers are Open MPI 5's (mpi-ext.h); MPI 5.0 has none of it.
import type { Abi, Handle } from './abi.js';
import type { ForeignLibrary, IntFunction } from './foreignLibrary.js';
import { MpiError } from './world.js';

/** Error classes: a process has failed (also where others may still come), or the processes are revoked. */
const LOSSES = [75, 76, 77];

/** Whether an error says that a process has died. @param code of a function; for these it is the class. */
export function isLoss(code: number): boolean {
  return LOSSES.includes(code);
}

/** Ways to try where processes die while the others come together. */
const ATTEMPTS = 100;

export class FaultTolerance {
  readonly #revoke: IntFunction;
  readonly #shrink: IntFunction;

  private constructor(revoke: IntFunction, shrink: IntFunction) {
    this.#revoke = revoke;
    this.#shrink = shrink;
  }

  /** Undefined where the library has none. */
  static of(library: ForeignLibrary, { name, handle }: Abi): FaultTolerance | undefined {
    if (name !== 'Open MPI' || library.address('MPIX_Comm_shrink') === undefined) return undefined;
    return new FaultTolerance(
      library.intFunction('MPIX_Comm_revoke', [handle]),
      library.intFunction('MPIX_Comm_shrink', [handle, 'void *']),
    );
  }

  /** Has every operation of these processes fail, in all of them. */
  revoke(processes: Handle): void {
    const code = this.#revoke(processes);
    if (code !== 0) throw new MpiError(`MPIX_Comm_revoke has failed with error ${code}.`);
  }

  /** Those of the processes that are alive, in their order. Returns when all of them have called it. */
  shrink(processes: Handle): Handle {
    const left = new BigInt64Array(1);
    let code = 0;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      code = this.#shrink(processes, left);
      if (code === 0) return left[0]!;
      if (!isLoss(code)) break;
    }
    throw new MpiError(`MPIX_Comm_shrink has failed with error ${code}.`);
  }
}
