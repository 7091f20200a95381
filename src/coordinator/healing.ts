// What the processes that are left do when others of a run have died.
import { ProcessLost } from '../collective/mpi/world.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import type { ProcessPlace } from '../collective/processPlace.js';
import { shareState } from './exchanges.js';
import { readingLimit } from './readingLimit.js';
import type { Healing } from './recovery.js';
import type { Session } from './session.js';

/** What a process tells the others of itself. */
interface Survivor {
  /** Its number before. */
  readonly process: number;
  /** The step before which its copy of the state is; -1 where it has none. */
  readonly copied: number;
  readonly skipped: readonly number[];
}

/**
 * Goes on without the processes that have died: all that are left call it when they have had a ProcessLost,
 * and no rank runs. The shards and slices of the dead go to those that are left, and the state becomes the
 * newest one that any of them has a copy of. More of them may die meanwhile.
 * @param error rethrown where it is no ProcessLost.
 * @throws MpiError where not all that are left come together within the time limit.
 */
export async function heal(error: unknown, group: ProcessGroup, session: Session): Promise<Healing> {
  const start = performance.now();
  const before = group.place;
  const { state } = session;
  const completed = state.progress.stepsCompleted;
  for (let loss = error; ; ) {
    if (!(loss instanceof ProcessLost)) throw loss;
    try {
      const step = await goOn(group, session, before);
      const left = group.place.processes;
      const stepsLost = Math.max(0, completed - step);
      const milliseconds = performance.now() - start;
      return { lost: before.processes - left, processes: left, step, stepsLost, milliseconds };
    } catch (another) {
      loss = another;
    }
  }
}

async function goOn(
  group: ProcessGroup,
  { state, pool }: Session,
  { process }: ProcessPlace,
): Promise<number> {
  await group.heal();
  state.moveTo(group.place);
  const restarted = pool.restart();
  // Nobody listens yet, where it fails while the others are lost.
  restarted.catch(() => {});
  const own: Survivor = { process, copied: state.recovery.copiedBefore ?? -1, skipped: pool.skipped };
  const texts = await group.gatherTexts(JSON.stringify(own), readingLimit(group, state));
  const all = texts.map((text) => JSON.parse(text) as Survivor);
  const step = Math.max(...all.map(({ copied }) => copied));
  if (step < 0) throw new Error('No process that is left has a whole copy of the state.');
  const source = all.findIndex(({ copied }) => copied === step);
  if (source === group.place.process) state.copy.restore();
  await shareState(group, state, step, source);
  // A new first process tells of the steps from here on again, of those that are skipped among them.
  const { process: before, skipped } = all[0]!;
  pool.skipped = before === 0 ? skipped : skipped.filter((number) => number < step);
  await restarted;
  return step;
}
