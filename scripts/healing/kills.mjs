// Runs whose processes are killed at moments that are drawn, and the figures of all of them.

import { join } from 'node:path';
import { writeExcerpt } from '../cluster/excerpt.mjs';
import { differences, withFolder } from '../cluster/runs.mjs';
import { Figures } from '../kills/figures.mjs';
import { drawKills } from './draw.mjs';
import { killedRun, undisturbed } from './run.mjs';

/** Runs on the first images of MNIST, so that epochs end in a short run. */
const MODELS = {
  mlp: {
    options: { model: 'mlp', maxSteps: 130, checkpointEvery: 20 },
    counts: { train: 7680, test: 1000 },
  },
  cvae: {
    options: { model: 'cvae', maxSteps: 100, checkpointEvery: 10 },
    counts: { train: 3840, test: 500 },
  },
  iwae: {
    options: {
      ...{ model: 'iwae', objective: 'iwae', samples: 5, maxSteps: 130, checkpointEvery: 20 },
      ...{ clipNorm: 20, emaDecay: 0.9 },
    },
    counts: { train: 7680, test: 1000 },
  },
};

/** Processes, and threads of each. */
const LAYOUTS = [
  [3, 1],
  [4, 1],
  [3, 2],
  [4, 2],
];

/** Runs until there were so many kills, prints them, and returns whether all runs had equal hashes. */
export function killAtRandom({ mpi, random, kills }) {
  return withFolder(async (folder) => {
    const models = [];
    for (const [name, { options, counts }] of Object.entries(MODELS)) {
      const all = { ...options, data: writeExcerpt(join(folder, name), 0, counts) };
      models.push({ name, options: all, ...(await undisturbed(all)) });
    }
    const series = new Series(mpi, random);
    for (let runs = 0; series.killed < kills; runs++) {
      // Every model on every layout in turn: their numbers have no common divisor.
      const [processes, workers] = LAYOUTS[runs % LAYOUTS.length];
      await series.run(models[runs % models.length], { processes, workers, most: kills - series.killed });
    }
    console.log(series.lines().join('\n'));
    return series.failed === 0;
  });
}

class Series {
  killed = 0;
  failed = 0;
  #mpi;
  #random;
  #figures = new Figures();
  #runs = 0;
  #inRecovery = 0;
  #inWriting = 0;

  constructor(mpi, random) {
    this.#mpi = mpi;
    this.#random = random;
  }

  /** A run that ends on one process or on two. */
  async run({ name, options, expected, stepsPerEpoch }, { processes, workers, most }) {
    const { maxSteps: steps, checkpointEvery } = options;
    const count = Math.min(processes - 1 - this.#random(2), most);
    const run = { processes, workers, kills: count, steps, stepsPerEpoch, checkpointEvery };
    const kills = drawKills(this.#random, run);
    const start = performance.now();
    let problems;
    try {
      const all = { ...options, workers };
      const { found, ...what } = await killedRun({ mpi: this.#mpi, options: all, processes, kills });
      problems = differences(found, expected);
      this.#add(steps, what);
    } catch (error) {
      problems = [error.message];
    }
    this.#runs++;
    this.killed += count;
    if (problems.length > 0) this.failed++;
    const verdict = problems.length === 0 ? 'equal' : `FAILED (${problems.join('; ')})`;
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(
      `${verdict}, ${seconds} s: ${name} on ${processes} × ${workers}: ${kills.map(describe).join(', ')}`,
    );
  }

  lines() {
    const equal = `${this.#runs - this.failed} of ${this.#runs} runs with equal hashes`;
    return [
      '',
      `${this.killed} kills, ${equal}`,
      `${this.#inRecovery} kills before the others went on behind another one, ${this.#inWriting} while a checkpoint was written`,
      ...this.#figures.deathLines(),
      this.#figures.stepLine(),
    ];
  }

  #add(steps, { deaths, inRecovery, inWriting }) {
    this.#figures.add(steps, deaths);
    this.#inRecovery += inRecovery;
    this.#inWriting += inWriting;
  }
}

function describe({ scene, process, step, fault, after }) {
  const place = fault
    ? `point ${fault.point}`
    : `${after.event ?? `death of ${after.death}`} + ${after.delay} ms`;
  return `${scene} kills ${process} at ${step} (${place})`;
}
