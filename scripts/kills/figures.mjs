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
    const byKind = new Map();
    for (const death of this.deaths) byKind.set(death.kind, [...(byKind.get(death.kind) ?? []), death]);
    const again = sum(this.#costs.map((cost) => cost.again));
    const [all, lost] = [sum(this.#costs.map((cost) => cost.all)), sum(this.#costs.map((cost) => cost.lost))];
    return [
      '| death by | recovered from | sent on after: median, worst | a new step after: median, worst |',
      '|---|---|---|---|',
      ...[...byKind].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, deaths]) => row(kind, deaths)),
      ...(byKind.size > 1 ? [row('all', this.deaths)] : []),
      `goodput by steps: ${this.#steps} useful of ${this.#steps + again} computed, ${percent(this.#steps, this.#steps + again)}`,
      `goodput by time: ${seconds(all - lost)} useful of ${seconds(all)}, ${percent(all - lost, all)}`,
    ];
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
