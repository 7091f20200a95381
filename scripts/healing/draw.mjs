// Which process of a run is killed when: drawn from a seed.

/**
 * - `step`: at a point of a step, before a phase's work or between its work and its exchange.
 * - `evaluation`: behind its share of an evaluation.
 * - `epoch end`: so many milliseconds after the first process has told of a checkpoint, an evaluation or the
 *   epoch, behind its last step.
 * - `checkpoint`: the first process, in the step behind a checkpoint, which it writes meanwhile.
 * - `together`: at the same point of the same step as the process before.
 * - `recovery`: so many milliseconds after the process before.
 */
const SCENES = ['step', 'step', 'step', 'evaluation', 'epoch end', 'checkpoint', 'together', 'recovery'];

/** These follow another kill. */
const SECOND = ['together', 'recovery'];

/** More than a step has points, so that the product takes the number modulo their count. */
const POINTS = 16;

/** Milliseconds, at the latest. */
const LATEST_RECOVERY = 500;
const LATEST_EPOCH_END = 60;
const EPOCH_END = ['checkpoint', 'evaluating', 'epoch'];

/**
 * @param run `processes`, `kills` of them, `workers` of each, `steps`, `stepsPerEpoch`, `checkpointEvery`.
 * @returns kills in their order: `scene`, `process`, and `fault` of trainWithFaults or `after` with what the
 * harness waits for.
 */
export function drawKills(random, run) {
  const alive = Array.from({ length: run.processes }, (_, process) => process);
  const kills = [];
  while (kills.length < run.kills) {
    // Each has a stretch of the run.
    const first = Math.floor((kills.length * run.steps) / run.kills);
    const end = Math.floor(((kills.length + 1) * run.steps) / run.kills);
    const scene = SCENES[random(SCENES.length)];
    const before = kills.at(-1);
    if (SECOND.includes(scene) && before === undefined) continue;
    const draw = { random, run, before, step: first + random(end - first), first, end };
    const what = DRAWS[scene](draw);
    if (what === undefined) continue;
    const place = scene === 'checkpoint' ? 0 : random(alive.length);
    const [process] = alive.splice(place, 1);
    const { fault, ...rest } = what;
    const rank = random(run.workers);
    kills.push({
      scene,
      process,
      ...rest,
      ...(fault && { fault: { kind: 'kill', process, rank, ...fault } }),
    });
  }
  return kills;
}

const DRAWS = {
  step: ({ step, random }) => ({ step, fault: { step, point: random(POINTS) } }),
  evaluation: (draw) => {
    const step = multipleOf(draw.run.stepsPerEpoch, draw);
    return step && { step, fault: { step, point: 'evaluation' } };
  },
  'epoch end': (draw) => {
    const step = multipleOf(draw.run.stepsPerEpoch, draw);
    const event = EPOCH_END[draw.random(EPOCH_END.length)];
    return step && { step, after: { event, step, delay: draw.random(LATEST_EPOCH_END) } };
  },
  checkpoint: (draw) => {
    const step = multipleOf(draw.run.checkpointEvery, draw);
    return step && { step, fault: { step, point: draw.random(POINTS) } };
  },
  together: ({ before: { step, fault } }) => fault && { step, fault: { step, point: fault.point } },
  recovery: ({ before: { step, process }, random }) => ({
    step,
    after: { death: process, delay: random(LATEST_RECOVERY) },
  }),
};

/** A multiple of a number in the stretch at hand, if there is one. */
function multipleOf(number, { first, end, random }) {
  const [least, most] = [Math.max(1, Math.ceil(first / number)), Math.ceil(end / number)];
  return most > least ? number * (least + random(most - least)) : undefined;
}
