import type { Case } from './cases.js';
import type { Peer } from './catalogue.js';
import { disagreement, type Outcome } from './comparison.js';
import { PeerProcess, type Ready } from './peerProcess.js';
import { measureUndisturbed } from './quiet.js';

/** About the time that one measurement takes, in seconds. */
const SLICE = 1;

/** Seconds of steps before anything counts: compilers and thread pools settle. */
const WARM_UP = 2;

/** A peer that is ready to be timed. */
interface Contestant {
  readonly name: string;
  readonly ready: Ready;
  readonly process: PeerProcess;
  stepsPerSlice: number;
  readonly rates: number[];
  readonly disturbances: number[];
}

/** Starts all peers of a case, checks their losses against the first one's, and times them in turn. */
export async function contest(
  problem: Case,
  peers: readonly Peer[],
  directory: string,
  rounds: number,
  say: (text: string) => void,
): Promise<Outcome[]> {
  const { name, batchSize } = problem;
  const entries: (Contestant | Outcome)[] = [];
  let expected: readonly number[] | undefined;
  for (const peer of peers) {
    say(`${name}: ${peer.name} starts`);
    const entry = await admit(peer, problem, directory, expected);
    if ('process' in entry) expected ??= entry.ready.losses;
    entries.push(entry);
  }
  const running = entries.filter((entry) => 'process' in entry);
  const failures = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    say(`${name}: round ${round + 1} of ${rounds}`);
    // Another one begins each round: none always follows the same one.
    const first = round % running.length;
    for (const contestant of [...running.slice(first), ...running.slice(0, first)]) {
      if (failures.has(contestant.name)) continue;
      try {
        const { process, stepsPerSlice, rates, disturbances } = contestant;
        const { took, disturbance } = await measureUndisturbed(() => process.run(stepsPerSlice));
        const { seconds } = took;
        rates.push((stepsPerSlice * batchSize) / seconds);
        disturbances.push(disturbance);
        contestant.stepsPerSlice = stepsInSlice(stepsPerSlice, seconds);
      } catch (error) {
        failures.set(contestant.name, (error as Error).message);
      }
    }
  }
  for (const { process } of running) await process.close();
  return entries.map((entry): Outcome => {
    if (!('process' in entry)) return entry;
    const reason = failures.get(entry.name);
    if (reason !== undefined) return { kind: 'failed', name: entry.name, reason };
    return {
      kind: 'timed',
      name: entry.name,
      ...entry.ready,
      rates: entry.rates,
      disturbances: entry.disturbances,
    };
  });
}

/** Starts and warms a peer; one that is absent, fails or computes something else is not timed. */
async function admit(
  { name, command }: Peer,
  problem: Case,
  directory: string,
  expected: readonly number[] | undefined,
): Promise<Contestant | Outcome> {
  const how = command(problem, directory);
  if ('absent' in how) return { kind: 'absent', name, reason: how.absent };
  const process = new PeerProcess(how);
  try {
    const ready = await process.ready();
    if ('cannot' in ready) {
      await process.close();
      return { kind: 'cannot', name, reason: ready.cannot };
    }
    const reason = disagreement(ready.losses, expected ?? ready.losses);
    if (reason !== undefined) {
      await process.close();
      return { kind: 'disagrees', name, reason };
    }
    return { name, ready, process, stepsPerSlice: await warm(process), rates: [], disturbances: [] };
  } catch (error) {
    await process.close();
    return { kind: 'failed', name, reason: (error as Error).message };
  }
}

/** Returns the steps of a slice. */
async function warm(process: PeerProcess): Promise<number> {
  let steps = 1;
  for (let spent = 0; ; ) {
    const { seconds } = await process.run(steps);
    spent += seconds;
    const inSlice = stepsInSlice(steps, seconds);
    if (spent >= WARM_UP && seconds >= SLICE / 4) return inSlice;
    steps = Math.min(inSlice, 4 * steps);
  }
}

function stepsInSlice(steps: number, seconds: number): number {
  return Math.max(1, Math.round((SLICE / seconds) * steps));
}
