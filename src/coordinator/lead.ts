// A run by one process, or by the first of several: it has the run's directory, and speaks.
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { loadRunData } from '../data/registry.js';
import type { RunData } from '../data/source.js';
import { UsageError } from '../errors.js';
import { continuedConfig } from '../runs/backendHistory.js';
import { parameterHash } from '../runs/checkpoint.js';
import { thisProcess } from '../runs/processIdentity.js';
import { assertOwnCheckpoint, type RunConfig } from '../runs/runConfig.js';
import {
  createNumberedRunDirectory,
  createRunDirectory,
  type FoundCheckpoint,
  makeDirectory,
  openRunDirectory,
  passedOver,
  type RunDirectory,
} from '../runs/runDirectory.js';
import { lockRun, type RunLock } from '../runs/runLock.js';
import type { Fault } from '../worker/fault.js';
import { type EpochStart, sumsBefore } from './epochSums.js';
import type { RunEvent } from './events.js';
import { shareState } from './exchanges.js';
import { introduce, trainTraits } from './handshake.js';
import { command, endTogether, LeadingPool, type Succession } from './leadingPool.js';
import { configOrigin, originNotes, presetOrigin, type RunOrigin, requireOneOrigin } from './originOption.js';
import { requireNamedData, requireOwnData, splitSentence } from './ownData.js';
import { canBeDrawn } from './pictures.js';
import type { Healing } from './recovery.js';
import { openSession, type Session } from './session.js';
import { callerSinks } from './sinks/registry.js';
import { RunSinks } from './sinks/runSinks.js';
import { Trainer, type TrainerStart } from './trainer.js';
import { requestedConfig, type TrainOptions } from './trainOptions.js';
import type { TrainResult } from './trainResult.js';

/** Where new runs go. */
const RUNS = 'runs';

/** The whole run, by itself or at the head of others. @param group those, if there are any. */
export async function lead(
  options: TrainOptions,
  faults: readonly Fault[],
  group?: ProcessGroup,
): Promise<TrainResult> {
  const sinks = new RunSinks(callerSinks(options));
  const locks: RunLock[] = [];
  try {
    const prepare = () => planRun(options, sinks.tell, locks);
    const plan = group ? await introducePlan(group, options, prepare) : await prepare();
    const { config, dataset, found } = plan;
    const { workers, revectorize, tile, barrierTimeout } = options;
    const session = openSession({
      ...{ config, dataset, workers, revectorize, tile, barrierTimeout, faults, group },
      from: found?.checkpoint,
    });
    try {
      if (group) await shareState(group, session.state, found?.checkpoint.step ?? 0);
      tellBeforeStart(plan, session, options, sinks);
      const from = found?.checkpoint ?? { step: 0 };
      return await runTrainer({ ...plan, from }, session, options, sinks, locks, group);
    } finally {
      await session.close();
    }
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** What the first process tells the others before the start. */
export interface StartOfRun {
  readonly config: RunConfig;
  /** Taken before, by the run that is resumed. */
  readonly step: number;
}

async function introducePlan(
  group: ProcessGroup,
  options: TrainOptions,
  prepare: () => Promise<RunPlan>,
): Promise<RunPlan> {
  const { prepared, warnings } = await introduce(group, async () => {
    const plan = await prepare();
    const told: StartOfRun = { config: plan.config, step: plan.found?.checkpoint.step ?? 0 };
    return { plan, told, traits: trainTraits(options, plan.dataset) };
  });
  return { ...prepared.plan, warnings };
}

/** The first process: it tells the others how the run has ended. */
export async function leadOthers(
  group: ProcessGroup,
  options: TrainOptions,
  faults: readonly Fault[],
): Promise<TrainResult> {
  return await answerable(group, () => lead(options, faults, group));
}

/**
 * Goes on at the head of the processes that are left, when the first one has died, from the state that all of
 * them have: as if it were a checkpoint's.
 */
export async function takeTheLead(
  group: ProcessGroup,
  session: Session,
  options: TrainOptions,
  { directory: path, leader, begun }: Succession,
  healing: Healing,
): Promise<TrainResult> {
  return await answerable(group, async () => {
    const sinks = new RunSinks(callerSinks(options));
    const locks: RunLock[] = [];
    try {
      const directory = await openRunDirectory(path);
      locks.push(await lockRun(path, leader));
      const { config, dataset, state } = session;
      const { step } = healing;
      const told = toldBefore(step, begun, directory);
      const from = { step, told, epochSums: { ...sumsBefore(told, begun, state) } };
      const start = { config, dataset, directory, saved: directory.readConfig(), from };
      sinks.tell({ kind: 'healed', ...healing });
      return await runTrainer(start, session, options, sinks, locks, group);
    } finally {
      for (const lock of locks) lock.release();
    }
  });
}

/**
 * Steps before `step` of which there is a line, or that are older than what the records of this process begin
 * with: the first process may have died before it has told of all that the others have a copy of.
 */
function toldBefore(step: number, { step: first }: EpochStart, directory: RunDirectory): number {
  const lines = directory.metrics().filter((line) => line.step <= step);
  return Math.max(first, lines.at(-1)?.step ?? 0);
}

/** Tells the others where the work of the first process fails, if they wait for a word of it. */
async function answerable(group: ProcessGroup, work: () => Promise<TrainResult>): Promise<TrainResult> {
  try {
    return await work();
  } catch (error) {
    // Otherwise the others are in the middle of something: their launcher ends them when this one is gone.
    if (group.isIdle) {
      await command(group, { kind: 'end', failed: true });
      await group.leave();
    }
    throw error;
  }
}

/** A run before anything of it is made or written. */
interface RunPlan {
  /** As asked for, or the resumed run's with what may change. */
  readonly config: RunConfig;
  readonly dataset: RunData;
  /** What is resumed. */
  readonly directory: RunDirectory | undefined;
  /** The config of `directory`. */
  readonly saved: RunConfig | undefined;
  readonly found: FoundCheckpoint | undefined;
  /** What the user should know, and need not mend. */
  readonly notes: readonly string[];
  /** What the user should mend. */
  readonly warnings?: readonly string[];
}

/** What a run begins with, or goes on with. */
interface RunStart extends Pick<RunPlan, 'config' | 'dataset' | 'directory' | 'saved'> {
  readonly from: TrainerStart;
}

/** @param locks gets the lock of a run that is resumed, before anything of it is read. */
async function planRun(
  options: TrainOptions,
  tell: (event: RunEvent) => void,
  locks: RunLock[],
): Promise<RunPlan> {
  if (options.resume !== undefined && options.out !== undefined) {
    throw new UsageError(
      'A resumed run stays in its directory: give either a directory to resume or one for a new run.',
    );
  }
  requireOneOrigin(options);
  const directory = options.resume === undefined ? undefined : await openRunDirectory(options.resume);
  if (directory === undefined) return planNewRun(options);
  locks.push(await lockRun(directory.path));
  const saved = directory.readConfig();
  requireOwnData(saved, directory.path, options.data);
  const dataset = loadRunData(options.data, options.shardData);
  const origin = { resumed: true, config: saved, source: directory.path } as const;
  const requested = await requestedConfig(options, dataset, origin);
  const found = await directory.latestCheckpoint();
  if (found) {
    for (const message of passedOver(found)) tell({ kind: 'warning', message });
    assertOwnCheckpoint(saved, directory.configPath, found.checkpoint.config, found.path);
  }
  // What computed the steps so far is known to the checkpoint; config.json may be of a resumption that made
  // none.
  const { config: earlier, step } = found?.checkpoint ?? { config: saved, step: 0 };
  return { config: continuedConfig(requested, earlier, step), dataset, directory, saved, found, notes: [] };
}

async function planNewRun(options: TrainOptions): Promise<RunPlan> {
  const origin = await newOrigin(options);
  if (origin?.config.data) requireNamedData(origin.config.data.source, origin.source, options.data);
  const dataset = loadRunData(options.data, options.shardData);
  const config = await requestedConfig(options, dataset, origin);
  const notes = origin === undefined ? [] : originNotes(origin, config);
  return { config, dataset, directory: undefined, saved: undefined, found: undefined, notes };
}

async function newOrigin({ config, preset, signal }: TrainOptions): Promise<RunOrigin | undefined> {
  if (preset !== undefined) return presetOrigin(preset);
  return config === undefined ? undefined : configOrigin(config, signal);
}

/** What the user should know before the run starts. */
function tellBeforeStart(
  { config, dataset, notes, warnings: found = [] }: RunPlan,
  { platform }: Session,
  options: TrainOptions,
  { tell }: RunSinks,
): void {
  if (dataset.testSplitOff) tell({ kind: 'note', message: splitSentence(dataset) });
  for (const message of notes) tell({ kind: 'note', message });
  const warnings = [...found, ...platform.warnings];
  if (options.pictures !== false && !canBeDrawn(dataset.train.channels)) {
    warnings.push(undrawnSentence(dataset));
  }
  if (config.earlierBackends) warnings.push(backendsSentence(config));
  for (const message of warnings) tell({ kind: 'warning', message });
}

/** Trains in the run's directory, which is made here or taken over. */
async function runTrainer(
  { config, dataset, directory, saved, from }: RunStart,
  session: Session,
  options: TrainOptions,
  sinks: RunSinks,
  locks: RunLock[],
  group: ProcessGroup | undefined,
): Promise<TrainResult> {
  const place = directory ?? (await createDirectory(options.out, config, locks));
  if (directory) await prepareResume(directory, config, saved, from.step);
  const pictures = options.pictures !== false && canBeDrawn(dataset.train.channels);
  const { state, workers } = session;
  const succession = () => ({ directory: place.path, leader: thisProcess(), begun: trainer.begun });
  const pool = group ? new LeadingPool(session, group, succession) : session.pool;
  const trainer = new Trainer({
    ...{ config, dataset, state, pool, directory: place, sinks, workers },
    options: { ...options, pictures },
  });
  const { reason, step, test } = await trainer.run(from);
  await sinks.settled();
  const end = { directory: place.path, reason, step, test } as const;
  if (group) await endTogether(group, session, { kind: 'end', failed: false, ...end });
  const parameters = Float32Array.from(state.parameters);
  return { ...end, config, parametersSha256: parameterHash(parameters), parameters, process: 0 };
}

/** Images of two channels, or of four, train like others but have no picture. */
function undrawnSentence({ train: { channels } }: RunData): string {
  return (
    `The images have ${channels} channels. Pictures are drawn of 1 (grey) or 3 (red, green, blue), so this run ` +
    'draws none.'
  );
}

/** @param locks gets the lock of the new run. */
async function createDirectory(
  out: string | undefined,
  config: RunConfig,
  locks: RunLock[],
): Promise<RunDirectory> {
  if (out === undefined) {
    const directory = await createNumberedRunDirectory(RUNS, config);
    locks.push(await lockRun(directory.path));
    return directory;
  }
  // Two runs may have been told the same empty directory.
  await makeDirectory(out);
  locks.push(await lockRun(out));
  const directory = await createRunDirectory(out, config);
  // A run that was killed before it had a config may have been here.
  await directory.removeTemporaryFiles();
  return directory;
}

/** Leaves in the directory only what was true at `step`, and the config with the epochs asked for now. */
async function prepareResume(
  directory: RunDirectory,
  config: RunConfig,
  saved: RunConfig | undefined,
  step: number,
): Promise<void> {
  await directory.makeSubdirectories();
  await directory.removeTemporaryFiles();
  await directory.truncateMetricsAfter(step);
  const changed = saved?.epochs !== config.epochs || saved.backend !== config.backend;
  if (changed || saved.earlierBackends?.length !== config.earlierBackends?.length) {
    await directory.writeConfig(config);
  }
}

/** A run that has had several backends. */
function backendsSentence({ backend, earlierBackends = [] }: RunConfig): string {
  const earlier = earlierBackends.map((entry) => `${entry.backend} up to step ${entry.untilStep}`);
  return (
    `The backend of this run was ${earlier.join(', then ')}, and is ${backend} now: its bits differ from those of a run ` +
    'with one backend; its ELBO agrees but for rounding.'
  );
}
