// The figures of many runs that were killed: recoveries of each kind, goodput.

import { sum } from './runCost.mjs';

export class Figures {
  #costs = [];
  #steps = 0;

  /** @param steps that are useful: the length of the run. */
  add(steps, cost) {
    this.#steps += steps;
    this.#costs.push(cost);
  }

  /** Deaths that were recovered from. */
  get deaths() {
    return this.#costs.flatMap(({ deaths }) => deaths);
  }

  /** A table of the deaths, and goodput by steps and by time, as lines. */
  lines() {
    const [all, lost] = [sum(this.#costs.map((cost) => cost.all)), sum(this.#costs.map((cost) => cost.lost))];
    const byTime = `${seconds(all - lost)} useful of ${seconds(all)}, ${percent(all - lost, all)}`;
    return [...this.deathLines(), this.stepLine(), `goodput by time: ${byTime}`];
  }

  deathLines() {
    const byKind = new Map();
    for (const death of this.deaths) byKind.set(death.kind, [...(byKind.get(death.kind) ?? []), death]);
    return [
      '| death by | recovered from | sent on after: median, worst | a new step after: median, worst |',
      '|---|---|---|---|',
      ...[...byKind].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, deaths]) => row(kind, deaths)),
      ...(byKind.size > 1 ? [row('all', this.deaths)] : []),
    ];
  }

  stepLine() {
    const again = sum(this.#costs.map((cost) => cost.again));
    const computed = this.#steps + again;
    return `goodput by steps: ${this.#steps} useful of ${computed} computed, ${percent(this.#steps, computed)}`;
  }
}

function row(kind, deaths) {
  const times = (name) => {
    const sorted = deaths.map((death) => death[name]).sort((a, b) => a - b);
    return `${milliseconds(sorted[Math.floor(sorted.length / 2)])}, ${milliseconds(sorted.at(-1))}`;
  };
  return `| ${kind} | ${deaths.length} | ${times('milliseconds')} | ${times('untilNew')} |`;
}

const milliseconds = (value) => `${value.toFixed(0)} ms`;
const seconds = (value) => `${(value / 1000).toFixed(1)} s`;
const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
