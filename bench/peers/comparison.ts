import type { Case } from './cases.js';

/** What became of one peer in one case. */
export type Outcome =
  | {
      readonly kind: 'timed';
      readonly name: string;
      readonly version: string;
      readonly losses: readonly number[];
      /** Images a second, one a round. */
      readonly rates: readonly number[];
      /** Share of all cores' time that other processes had meanwhile. */
      readonly disturbances: readonly number[];
    }
  | {
      readonly kind: 'absent' | 'cannot' | 'disagrees' | 'failed';
      readonly name: string;
      readonly reason: string;
    };

export type Timed = Extract<Outcome, { kind: 'timed' }>;

/**
 * Largest relative difference of two peers' losses. A loss is a sum of n = 784 terms of one sign, each of a
 * logit that is itself a sum of up to 3,136 products: rounded at random, such sums are off by about √n ·
 * 2⁻²⁴, 2·10⁻⁶ and 3·10⁻⁶ of their terms' size; in an unlucky order by n · 2⁻²⁴, 5·10⁻⁵. 10⁻⁵ lets the former
 * pass. A wrong padding, likelihood or KL moves the first loss by more than 10⁻⁴ of itself, a wrong gradient
 * or Adam the second.
 */
export const LOSS_TOLERANCE = 1e-5;

/** Why the losses are not those expected, or undefined where they are. */
export function disagreement(losses: readonly number[], expected: readonly number[]): string | undefined {
  for (const [step, loss] of expected.entries()) {
    const found = losses[step] ?? Number.NaN;
    // NaN fails.
    if (!(Math.abs(found - loss) <= LOSS_TOLERANCE * Math.abs(loss))) {
      return `its loss in step ${step + 1} is ${found}, lowerbound's is ${loss}`;
    }
  }
  return undefined;
}

/** The median of an odd or even number of values; NaN if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median over the rounds of numerator's rate / denominator's rate: what slows a whole round down cancels. */
export function medianRatio(numerator: Timed, denominator: Timed): number {
  return median(numerator.rates.map((rate, round) => rate / denominator.rates[round]!));
}

/** The fastest of the timed peers whose name begins so. */
export function fastest(outcomes: readonly Outcome[], prefix: string): Timed | undefined {
  return outcomes
    .filter((outcome) => outcome.kind === 'timed')
    .filter(({ name }) => name.startsWith(prefix))
    .reduce<Timed | undefined>(
      (best, peer) => (best === undefined || median(peer.rates) > median(best.rates) ? peer : best),
      undefined,
    );
}

/** Rate, lowest, highest, disturbed, ratio, version. */
type Cells = readonly [string, string, string, string, string, string];

/**
 * A case's table: images a second, their spread, and how many times as fast lowerbound is on as many threads
 * as it may.
 */
export function formatTable({ name }: Case, outcomes: readonly Outcome[], reference: string): string {
  const base = outcomes.find((outcome) => outcome.kind === 'timed' && outcome.name === reference);
  const lines = [row(name, 'images/s', 'lowest', 'highest', 'disturbed', `${reference} is`, '')];
  for (const outcome of outcomes) {
    if (outcome.kind !== 'timed') {
      lines.push(`${outcome.name.padEnd(20)} ${outcome.kind}: ${outcome.reason}`);
      continue;
    }
    const { rates, disturbances, version } = outcome;
    const disturbed = `${(100 * median(disturbances)).toFixed(1)} %`;
    const ratio = base?.kind === 'timed' ? `${medianRatio(base, outcome).toFixed(2)} ×` : '';
    const [low, high] = [Math.min(...rates), Math.max(...rates)].map((rate) => rate.toFixed(0));
    lines.push(row(outcome.name, median(rates).toFixed(0), low!, high!, disturbed, ratio, version));
  }
  const rival = fastest(outcomes, 'pytorch');
  if (base?.kind === 'timed' && rival !== undefined) {
    lines.push(`${reference} / best PyTorch (${rival.name}): ${medianRatio(base, rival).toFixed(2)}`);
  }
  return lines.join('\n');
}

function row(name: string, ...[rate, low, high, disturbed, ratio, version]: Cells): string {
  return [
    name.padEnd(20),
    rate.padStart(9),
    low.padStart(9),
    high.padStart(9),
    disturbed.padStart(9),
    ratio.padStart(16),
    version,
  ]
    .join(' ')
    .trimEnd();
}
