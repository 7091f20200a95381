import { appendFileSync } from 'node:fs';
import type { Address } from '../kernels/address.js';
import type { Rank } from './rank.js';
import type { Phase } from './stepRules/stepRule.js';

/** How a rank dies. */
export const FAULT_KINDS = ['throw', 'exit', 'stall', 'memory', 'trap'] as const;

/**
 * Where the rank lives: `nan`, the first number of the optimizer's last state tensor is NaN, and so is its
 * update then; `damage`, the first parameter is; `late`, it comes later. `kill`: the whole process dies by
 * SIGKILL.
 */
export type FaultKind = (typeof FAULT_KINDS)[number] | 'nan' | 'damage' | 'late' | 'kill';

/** Milliseconds by which a rank is late: more than there are between two snapshots. */
const LATE = 400;

/** Points of a phase at which a rank can die: before its work, and between its work and its exchange. */
const POINTS = 2;

/**
 * What goes wrong on purpose, in tests of recovery. Only `trainWithFaults`, which is no part of the library,
 * hands faults to a run.
 */
export interface Fault {
  readonly kind: FaultKind;
  /** The number that the process has at the start, where several train together; default: in each of them. */
  readonly process?: number;
  readonly rank: number;
  /** The step in which it goes wrong, or the steps taken before an evaluation. */
  readonly step: number;
  /** Number of the point in the step, modulo the number of points; default 0; or in the evaluation. */
  readonly point?: number | 'evaluation';
  /** How many times it goes wrong; default: each time. */
  readonly times?: number;
  /** A file to which `kill` appends a KillRecord as a line. */
  readonly diary?: string;
}

/** What a process that is killed leaves behind: of the fault, and when. */
export interface KillRecord extends Omit<Fault, 'diary'> {
  /** Milliseconds of the monotonic clock, which all processes of a machine share. */
  readonly at: number;
}

/** A fault of a run, with a count that outlives threads. */
export interface ArmedFault extends Fault {
  readonly fired: Int32Array;
}

export function arm(fault: Fault): ArmedFault {
  return { ...fault, fired: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) };
}

/** The phases of a step with the faults of a rank at their points. */
export function withFaults(
  phases: readonly Phase[],
  faults: readonly ArmedFault[] | undefined,
  rank: Rank,
): readonly Phase[] {
  const own = faults?.filter((fault) => fault.rank === rank.rank && fault.point !== 'evaluation') ?? [];
  if (own.length === 0) return phases;
  const points = phases.length * POINTS;
  const failAt = (point: number, step: number) => {
    for (const fault of own) {
      if (fault.step === step && Number(fault.point ?? 0) % points === point) fail(fault, rank);
    }
  };
  return phases.map((phase, i) => ({
    ...phase,
    run: (step) => {
      failAt(i * POINTS, step.number);
      phase.run(step);
      failAt(i * POINTS + 1, step.number);
    },
  }));
}

/** Lets an evaluation after `step` steps go wrong. */
export function failInEvaluation(faults: readonly ArmedFault[] | undefined, rank: Rank, step: number): void {
  for (const fault of faults ?? []) {
    if (fault.point === 'evaluation' && fault.rank === rank.rank && fault.step === step) fail(fault, rank);
  }
}

/** Lets it go wrong, as many times as it is to. */
function fail(fault: ArmedFault, { kernels, context }: Rank): void {
  const { fired, ...what } = fault;
  const { kind, rank, step, times = Number.POSITIVE_INFINITY } = what;
  if (Atomics.add(fired, 0, 1) >= times) return;
  switch (kind) {
    case 'kill':
      killProcess(what);
      break;
    case 'throw':
      throw new Error(`Fault on purpose in rank ${rank}, step ${step}.`);
    case 'exit':
      process.exit(3);
      break;
    case 'memory':
      exhaustMemory();
      break;
    case 'trap':
      // Beyond the end of any memory: RuntimeError, memory access out of bounds.
      kernels.allFinite((2 ** 32 - 64) as Address, 16);
      throw new Error('No trap.');
    case 'nan':
      new Float32Array(context.memory.buffer, context.layout.state.at(-1))[0] = Number.NaN;
      break;
    case 'damage':
      new Float32Array(context.memory.buffer, context.layout.parameters)[0] = Number.NaN;
      break;
    case 'late':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, LATE);
      break;
    case 'stall':
      for (;;) {
        // Stalls: neither an error nor a barrier.
      }
  }
}

function killProcess({ diary, ...fault }: Fault): never {
  if (diary !== undefined) {
    const record: KillRecord = { ...fault, at: Number(process.hrtime.bigint()) / 1e6 };
    appendFileSync(diary, `${JSON.stringify(record)}\n`);
  }
  process.kill(process.pid, 'SIGKILL');
  for (;;) {
    // The signal may come a little later.
  }
}

/**
 * Until V8 ends the thread (ERR_WORKER_OUT_OF_MEMORY). By small objects: a large one beyond the limit ends
 * the whole process on Node 24.
 */
function exhaustMemory(): void {
  let last: object = {};
  for (;;) last = { last };
}
