// The lines of a run's metrics.jsonl beside those of a replay.
import { isDeepStrictEqual } from 'node:util';
import { jsonLine } from '../jsonLine.js';
import type { Metrics } from '../runs/runDirectory.js';

/** How the lines of some steps compare; times are left out. */
export interface MetricsComparison {
  /** Lines of the run's metrics.jsonl. */
  readonly lines: number;
  readonly differing: number;
  /** The first line that differs; `replayed` is undefined where the replay has no such line. */
  readonly first?: {
    readonly step: number;
    readonly stored: Metrics;
    readonly replayed: Metrics | undefined;
  };
  /** The step of the last line before it that agrees. */
  readonly agreeUntil?: number;
}

/** @param stored lines of the run, of the replayed steps alone. */
export function compareMetrics(stored: readonly Metrics[], replayed: readonly Metrics[]): MetricsComparison {
  const ofReplay = new Map(replayed.map((line) => [keyOf(line), line]));
  const pairs = stored.map((line) => ({ line, other: ofReplay.get(keyOf(line)) }));
  const agrees = pairs.map(({ line, other }) => other !== undefined && sameLine(line, other));
  const differing = agrees.filter((agree) => !agree).length;
  if (differing === 0) return { lines: stored.length, differing };
  const at = agrees.indexOf(false);
  const { line, other } = pairs[at]!;
  return {
    lines: stored.length,
    differing,
    first: { step: line.step, stored: withoutTimes(line), replayed: other },
    ...(at === 0 ? {} : { agreeUntil: pairs[at - 1]!.line.step }),
  };
}

function keyOf({ step, kind }: Metrics): string {
  return `${String(kind)} ${step}`;
}

function sameLine(stored: Metrics, replayed: Metrics): boolean {
  // By way of a line, as the run's came here.
  return isDeepStrictEqual(withoutTimes(stored), JSON.parse(jsonLine(replayed)));
}

function withoutTimes({ seconds: _seconds, imagesPerSecond: _rate, ...rest }: Metrics): Metrics {
  return rest;
}
