// The rows of the test matrix (docs/reproducibility.md). A row is a number of attempts, each of which must
// come to the hashes of its reference, parameters and optimizer's state, at every step that it names.

import { findArm, findNode, NODE_MAJORS } from './machines.mjs';
import { checkpointHashes, life, metricsOf, trace, withRun } from './runs.mjs';

export const MODELS = ['cvae', 'mlp', 'iwae'];
export const ARITHMETIC = ['portable', 'fused'];

/** The golden steps; the last is that of test/coordinator/golden.json as well. */
export const STEPS = [1, 2, 5, 10, 25];
const LAST = STEPS.at(-1);

/** Under emulation a step takes seconds, and the first one, with V8's compilers, minutes. */
const EMULATED_BARRIER_TIMEOUT = 600;
const EMULATED_STEPS = STEPS.slice(0, 3);

/** Where KIL's runs stop, and with which the undisturbed run is compared; between them they are killed. */
const KILL_STEPS = { cvae: [40, 80, 120], mlp: [160, 320, 480], iwae: [80, 160, 240] };

/** A kill comes so many milliseconds after the start at the latest. */
const LATEST_KILL = 1500;

/**
 * All rows of a model and an arithmetic mode.
 * @param golden the hashes of the undisturbed run; @param random draws a whole number below another.
 */
export function rowsOf(model, arithmetic, golden, random) {
  const run = { model, arithmetic };
  const row = (kind, what, attempts) => ({ kind, model, arithmetic, what, attempts });
  const at = (steps) => golden.filter(({ step }) => steps.includes(step));
  const traced =
    (options, steps = STEPS, command) =>
    async () => {
      const found = await trace({ ...run, ...options }, steps, command);
      return found.missing
        ? { skipped: found.missing }
        : { found: found.steps, expected: at(steps), ...found };
    };
  return [
    row('GLD', 'golden hashes, 1 worker', [['1 worker', traced({ workers: 1 })]]),
    row('REP', 'the same command twice', [['both', () => repeated(run, at)]]),
    row(
      'PET',
      '1, 2, 3, 4, 8 workers',
      [1, 2, 3, 4, 8].map((workers) => [`${workers} workers`, traced({ workers })]),
    ),
    row('ERS', 'stopped at 5 and 10, resumed', [['2 workers', () => resumed(run, [2, 2, 2], at)]]),
    row('ERP', 'the same, on 3, 1 and 8 workers', [['3, 1, 8 workers', () => resumed(run, [3, 1, 8], at)]]),
    row('KIL', `SIGKILL, 3 times in ${KILL_STEPS[model].at(-1)} steps`, [
      ['kills', () => killed(run, KILL_STEPS[model], random)],
    ]),
    ...NODE_MAJORS.flatMap((major) => nodeRows(row, major, traced)),
    row('ENV', `arm64${process.arch === 'arm64' ? '' : ' under QEMU'}, Node 22`, [
      ['arm64', () => onArm(traced)],
    ]),
  ];
}

/** Node 20 has no re-vectorisation. */
function nodeRows(row, major, traced) {
  const modes = major === 20 ? [false] : [false, true];
  return modes.map((revectorize) =>
    row('ENV', `Node ${major}, ${revectorize ? 're-vectorised' : '128 bits'}`, [
      [`Node ${major}`, () => onNode(major, revectorize, traced)],
    ]),
  );
}

async function onNode(major, revectorize, traced) {
  const { command, missing } = findNode(major);
  if (missing) return { skipped: missing };
  const result = await traced({ workers: 2, revectorize }, STEPS, command)();
  // The flag may be refused by the processor, or by the self-test.
  if (revectorize && result.revectorized === false) {
    return { skipped: `Node ${major} does not re-vectorise on this machine` };
  }
  return result;
}

async function onArm(traced) {
  const { command, missing } = findArm();
  if (missing) return { skipped: missing };
  return await traced({ workers: 2, barrierTimeout: EMULATED_BARRIER_TIMEOUT }, EMULATED_STEPS, command)();
}

/** Two runs of one command line: checkpoints and metrics lines of every step. */
async function repeated(run, at) {
  const [first, second] = [await once(run), await once(run)];
  if (JSON.stringify(first.metrics) !== JSON.stringify(second.metrics)) {
    throw new Error('the metrics lines of the two runs differ');
  }
  return { found: [first.hashes, second.hashes], expected: [...at([LAST]), ...at([LAST])] };
}

function once(run) {
  return withRun(async (out) => {
    await life({ ...run, out, workers: 2, step: LAST });
    return { hashes: await checkpointHashes(out, LAST), metrics: metricsOf(out) };
  });
}

/** Stopped at steps 5 and 10, with these numbers of workers in its three lives. */
function resumed(run, workers, at) {
  const stops = [5, 10, LAST];
  return withRun(async (out) => {
    const found = [];
    for (const [index, step] of stops.entries()) {
      await life({ ...run, out, resumes: index > 0, workers: workers[index], step });
      found.push(await checkpointHashes(out, step));
    }
    return { found, expected: at(stops) };
  });
}

/** Killed at a random moment before each of the stops, resumed on 1 to 4 workers. */
async function killed(run, stops, random) {
  const undisturbed = await trace({ ...run, workers: 1 }, stops);
  return await withRun(async (out) => {
    const found = [];
    let kills = 0;
    for (const [index, step] of stops.entries()) {
      const workers = 1 + random(4);
      const options = { ...run, out, step: stops.at(-1), killAfter: random(LATEST_KILL) };
      if (!(await life({ ...options, resumes: index > 0, workers }))) kills++;
      else throw new Error(`the run was over before it was killed, ${options.killAfter} ms after its start`);
      await life({ ...run, out, resumes: true, workers: 1 + random(4), step });
      found.push(await checkpointHashes(out, step));
    }
    return { found, expected: undisturbed.steps, note: `${kills} kills` };
  });
}
