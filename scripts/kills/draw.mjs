// What is killed when, drawn from a seed, and how each death is told by its cause.

import { generator } from '../../build/test/coordinator/parkMiller.js';

export const MODELS = ['mlp', 'cvae', 'iwae'];

/** Runs have from two to eight workers. */
export const WORKERS = [2, 3, 4, 5, 6, 7, 8];

/**
 * Seconds after which a stalled worker counts as dead: more than eight workers need for a step on a busy
 * machine.
 */
export const BARRIER_TIMEOUT = 3;

/** A stall and an exhausted memory take seconds, so they are rarer than the others. */
const KINDS = ['throw', 'throw', 'throw', 'exit', 'exit', 'exit', 'trap', 'trap', 'memory', 'stall'];

/** More than a step has points, so that the product takes the number modulo their count. */
const POINTS = 16;

/** One death in so many is one in an evaluation, where the run has any. */
const EVALUATIONS = 8;

/** @returns draws a whole number from 0 up, below its argument. */
export function generatorOf(seed) {
  if (!Number.isInteger(seed) || seed < 1 || seed > 2_147_483_646) {
    throw new Error(`A seed is a whole number from 1 to 2147483646, not ${seed}.`);
  }
  return generator(seed);
}

/**
 * Deaths of workers at steps, ranks and points that are drawn: one a step, so that each is a recovery of its
 * own.
 */
export function drawFaults(random, { workers, steps, stepsPerEpoch, deaths }) {
  const faults = new Map();
  const evaluations = Math.floor(steps / stepsPerEpoch);
  while (faults.size < deaths) {
    const inEvaluation = evaluations > 0 && random(EVALUATIONS) === 0;
    const step = inEvaluation ? stepsPerEpoch * (1 + random(evaluations)) : random(steps);
    const point = inEvaluation ? 'evaluation' : random(POINTS);
    const kind = KINDS[random(KINDS.length)];
    faults.set(step, { kind, rank: random(workers), step, point, times: 1 });
  }
  return [...faults.values()];
}

/** The items in an order that is drawn (Fisher and Yates). */
export function shuffled(random, items) {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random(last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** The kind of fault that a cause of the event `recovered` tells of. */
export function kindOf(cause) {
  for (const [kind, words] of CAUSES) if (words.test(cause)) return kind;
  return `other (${cause})`;
}

const CAUSES = [
  ['throw', /^Fault on purpose/],
  ['exit', /exited with code/],
  ['trap', /out of bounds/],
  ['memory', /memory limit/],
  ['stall', /^No answer within/],
  ['SIGKILL', /^SIGKILL$/],
];
