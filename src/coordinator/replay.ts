// Steps of a run, computed again from a state of it. Nothing is written.
import type { Dataset } from '../data/source.js';
import type { TileName } from '../kernels/tiles/tile.js';
import type { RunConfig } from '../runs/runConfig.js';
import type { Metrics } from '../runs/runDirectory.js';
import type { TrainingState } from '../runs/trainingState.js';
import { learningRateOf } from '../worker/settings.js';
import { addSums, type EpochSums, meansOf, noSums, sumsOf } from './epochSums.js';
import { openSession, type Session } from './session.js';
import { batchMetrics, epochMetrics, skippedMetrics } from './sinks/metricsFile.js';
import { testMeans } from './testMeans.js';

/** A state of a run between two steps, and the sums of the epoch under way. */
export interface RunMoment {
  /** Steps taken. */
  readonly step: number;
  /** Absent: that of a new run, before its first step. */
  readonly state?: TrainingState;
  readonly epochSums?: Readonly<Record<string, number>>;
}

export interface ReplayOptions {
  /** Its backend computes the steps. */
  readonly config: RunConfig;
  readonly dataset: Dataset;
  readonly from: RunMoment;
  readonly toStep: number;
  /** Whether the epoch that ends with a step is to be evaluated. */
  readonly evaluates: (step: number) => boolean;
  readonly workers?: number | undefined;
  readonly revectorize?: boolean | undefined;
  readonly tile?: TileName | undefined;
  /** Called now and then with the steps that the run had taken where the replay is. */
  readonly onStep?: (step: number) => void;
}

export interface Replayed extends Required<RunMoment> {
  /** What metrics.jsonl would have of each step and, where it was evaluated, each epoch, without times. */
  readonly metrics: readonly Metrics[];
  readonly workers: number;
  readonly tile: TileName;
  readonly revectorized: boolean;
}

/** How often progress is told, milliseconds. */
const INTERVAL = 100;

/**
 * Computes the steps from `from` to `toStep`.
 * @throws UsageError and NotFiniteError as training does.
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { config, dataset, from, workers, revectorize, tile } = options;
  const session = openSession({ config, dataset, from: from.state, workers, revectorize, tile });
  const { state } = session;
  const timer = setInterval(() => {
    options.onStep?.(Math.max(from.step, state.progress.stepsCompleted));
  }, INTERVAL);
  try {
    const { epochSums, metrics } = await replaySteps(session, options);
    const optimizerState = new Map([...state.optimizerState].map(([name, tensor]) => [name, tensor.slice()]));
    return {
      step: options.toStep,
      state: { parameters: state.parameters.slice(), optimizerState },
      epochSums,
      metrics,
      workers: session.workers,
      tile: session.platform.tile,
      revectorized: session.platform.revectorized,
    };
  } finally {
    clearInterval(timer);
    await session.close();
  }
}

async function replaySteps(
  session: Session,
  { from, toStep, evaluates }: ReplayOptions,
): Promise<{
  readonly epochSums: EpochSums & Readonly<Record<string, number>>;
  readonly metrics: Metrics[];
}> {
  const { state } = session;
  const { settings } = state;
  const { stepsPerEpoch } = settings;
  const none = noSums(settings);
  const learningRateAt = learningRateOf(settings);
  const metrics: Metrics[] = [];
  let sums: EpochSums = { ...none, ...from.epochSums };
  for (let step = from.step; step < toStep; ) {
    const epoch = Math.floor(step / stepsPerEpoch);
    const epochStart = epoch * stepsPerEpoch;
    const end = Math.min(epochStart + stepsPerEpoch, toStep);
    if (step === epochStart) sums = none;
    state.shuffle(epoch);
    await session.pool.trainSteps(epoch, step, end);
    for (; step < end; step++) {
      const record = state.stepRecords.read(step - epochStart);
      if (record.examples === 0) {
        metrics.push(skippedMetrics({ step: step + 1, epoch: epoch + 1 }));
        continue;
      }
      const ofStep = sumsOf(record, settings);
      sums = addSums(sums, ofStep);
      const learningRate = learningRateAt(step);
      const line = {
        step: step + 1,
        epoch: epoch + 1,
        batch: meansOf(ofStep),
        beta: record.beta,
        learningRate,
      };
      metrics.push(batchMetrics(line));
    }
    if (end < epochStart + stepsPerEpoch || !evaluates(end)) continue;
    await session.pool.evaluate();
    const [train, test] = [meansOf(sums), testMeans(state).means];
    metrics.push(epochMetrics({ step: end, epoch: epoch + 1, train, test }));
  }
  return { epochSums: { ...sums }, metrics };
}
