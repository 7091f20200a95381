// The rows of the matrix over processes (docs/reproducibility.md). A row is a number of attempts, each of
// which must come to the outcome of the same run in one process without MPI.

import { join } from 'node:path';
import { outcomeOf, trainAlone, trainTogether, withFolder } from './runs.mjs';

/** Batches such that the excerpt's epochs end within six steps, but for `iwae`, which writes checkpoints. */
export const MODELS = {
  cvae: ['--model', 'cvae', '--batch-size', 96],
  mlp: ['--model', 'mlp', '--batch-size', 128],
  iwae: ['--model', 'iwae', '--objective', 'iwae', '--samples', 5, '--checkpoint-every', 4],
  clip: ['--model', 'cvae', '--clip-norm', 100, '--batch-size', 96],
  adamw: ['--model', 'mlp', '--optimizer', 'adamw', '--batch-size', 96],
  ema: ['--model', 'mlp', '--ema-decay', 0.9, '--batch-size', 128],
};
const STEPS = 6;

/** Run with data in shards, too: one goes over an epoch's end, one draws pixels and begins at their mean. */
const SHARDED = ['cvae', 'iwae'];

/** Processes and threads of each. */
const LAYOUTS = [1, 2, 3, 4].flatMap((processes) => [1, 2].map((workers) => ({ processes, workers })));

/** Where a run stops, and the processes that it has up to there; `undefined`: without MPI. */
const LIVES = [
  [2, 3, 1, undefined],
  [undefined, 3, 2, 4],
];
const STOPS = [3, 7, 10, 13];

/** On the whole of MNIST: over the end of an epoch of 469 steps. */
const WHOLE_STEPS = 472;

/** Runs in one process, each once. */
export class References {
  #known = new Map();

  /** The outcome of these arguments, stopped and resumed at `stops`, the last of which is the end. */
  async of(args, stops) {
    const key = JSON.stringify([args, stops]);
    if (!this.#known.has(key)) this.#known.set(key, await inLives(args, stops, (rest) => trainAlone(rest)));
    return this.#known.get(key);
  }
}

/**
 * All rows of a place that compare bits.
 * @param place see startTogether; @param data the folder of the excerpt; @param references of References.
 */
export function bitRows(place, data, references) {
  const row = (kind, model, what, attempts) => ({ kind, model, what, attempts });
  const layouts = LAYOUTS.filter(({ processes }) => !place.hosts || processes > 1);
  return Object.entries(MODELS).flatMap(([model, options]) => {
    const args = [...options, '--data', data];
    const rows = [
      row(
        'PEM',
        model,
        `${layouts[0].processes} to 4 processes, 1 and 2 threads`,
        layouts.map((layout) => [nameOf(layout), () => compared(place, args, layout, references)]),
      ),
    ];
    if (SHARDED.includes(model)) {
      const sharded = layouts.filter(({ workers }) => workers === 1);
      rows.push(
        row(
          'PEM',
          model,
          `${sharded[0].processes} to 4 processes with --shard-data`,
          sharded.map((layout) => [
            nameOf(layout),
            () => compared(place, args, layout, references, STEPS, ['--shard-data']),
          ]),
        ),
      );
    }
    if (model === 'mlp') rows.push(wholeRow(place, references));
    if (model === 'mlp' || model === 'cvae') {
      rows.push(
        ...LIVES.map((lives) =>
          row('ERP', model, `stopped and resumed: ${lives.map(lifeName).join(', then ')}`, [
            ['resumed', () => resumed(place, args, lives, references)],
          ]),
        ),
      );
    }
    return rows;
  });
}

/** An epoch of MNIST itself, with its evaluation. */
function wholeRow(place, references) {
  const layout = { processes: 2, workers: 1 };
  const compare = () => compared(place, ['--model', 'mlp'], layout, references, WHOLE_STEPS);
  const attempts = [[nameOf(layout), compare]];
  return {
    kind: 'PEM',
    model: 'mlp',
    what: `all of MNIST, ${WHOLE_STEPS} steps, over an epoch's end`,
    attempts,
  };
}

/** @param flags of the run by several processes alone. */
async function compared(place, args, layout, references, steps = STEPS, flags = []) {
  const expected = await references.of(args, [steps]);
  const before = place.hosts?.sentBytes();
  let parameters;
  const found = await inLives([...args, ...flags], [steps], async (rest) => {
    const events = await trainTogether(place, rest, layout);
    ({ parameters } = events.find(({ kind }) => kind === 'started'));
    return events;
  });
  if (before !== undefined) requireTraffic(before, place.hosts.sentBytes(), 4 * parameters * steps);
  return { found, expected };
}

/** That the bytes went over the link: whatever the layout, each host sends more than P floats a step. */
function requireTraffic(before, after, least) {
  for (const [host, bytes] of after.entries()) {
    const sent = bytes - before[host];
    if (sent < least) throw new Error(`host ${host + 1} has sent ${sent} bytes, less than ${least}`);
  }
}

async function resumed(place, args, lives, references) {
  const stopped = await references.of(args, STOPS);
  // What a run that nobody stopped comes to.
  const { parameters } = await references.of(args, STOPS.slice(-1));
  const expected = { ...stopped, parameters };
  const found = await inLives(args, STOPS, (rest, index) => {
    const processes = lives[index];
    return processes === undefined
      ? trainAlone(rest, { workers: 2 })
      : trainTogether(place, rest, { processes, workers: 1 });
  });
  return { found, expected };
}

/** Trains until each of the stops, in a folder that is removed; returns the outcome behind the last one. */
function inLives(args, stops, train) {
  return withFolder(async (folder) => {
    const out = join(folder, 'run');
    let events = [];
    for (const [index, stop] of stops.entries()) {
      const origin = index === 0 ? [...args, '--out', out] : ['--resume', out, ...resumable(args)];
      events = await train([...origin, '--max-steps', stop], index);
    }
    return outcomeOf(events, out);
  });
}

/** What a resumed run is told again: where its data are, and how often it writes. */
export function resumable(args) {
  return ['--data', '--checkpoint-every'].flatMap((flag) => {
    const index = args.indexOf(flag);
    return index < 0 ? [] : args.slice(index, index + 2);
  });
}

function lifeName(processes) {
  if (processes === undefined) return 'without MPI';
  return processes === 1 ? '1 process' : `${processes} processes`;
}

function nameOf({ processes, workers }) {
  return `${processes} × ${workers}`;
}
