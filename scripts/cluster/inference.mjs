// Rows of what processes do with a checkpoint together: `infer` and `evaluate`.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstLines, Job, jobLine, MAIN, sharedCommand } from './jobs.mjs';
import { sha256, trainAlone, withFolder } from './runs.mjs';

/** Fewer than the processes, more, and not a multiple of them. */
const RANGES = ['7:9', '0:11'];

const CHAINS = ['--chains', 2, '--warmup', 10, '--draws', 50];
const ESTIMATES = ['--importance', '1,50', '--ais', '--chains', 2, '--temperatures', 20];

/** Each writes one file. */
const COMMANDS = {
  infer: { words: CHAINS, file: ['--npy', 'draws.npy'] },
  evaluate: { words: ESTIMATES, file: ['--per-example', 'nats.jsonl'] },
};

/** The row of a place (see startTogether). @param data the folder of the excerpt. */
export function inferenceRow(place, data) {
  const all = place.hosts ? [2, 3, 4] : [1, 2, 3, 4];
  const attempts = Object.keys(COMMANDS).flatMap((command) =>
    RANGES.map((range) => [`${command} ${range}`, () => compared(place, data, command, range, all)]),
  );
  return { kind: 'PEM', model: 'mlp', what: `infer and evaluate, ${all[0]} to 4 processes`, attempts };
}

/** What is printed and written by each number of processes, and by one without MPI. */
function compared(place, data, command, range, all) {
  return withFolder(async (folder) => {
    const run = join(folder, 'run');
    await trainAlone(['--model', 'mlp', '--latent', 2, '--data', data, '--out', run, '--max-steps', 3]);
    const { words, file } = COMMANDS[command];
    const path = join(folder, file[1]);
    const args = [command, run, '--data', data, '--examples', range, '--json', ...words, file[0], path];
    const outcome = (stdout) => ({ printed: sha256(stdout), written: sha256(readFileSync(path)) });
    const alone = outcome(await printedAlone(args));
    const [found, expected] = [{}, {}];
    for (const processes of all) {
      const { printed, written } = outcome(await printedTogether(place, args, processes));
      Object.assign(found, { [`printed by ${processes}`]: printed, [`written by ${processes}`]: written });
      Object.assign(expected, {
        [`printed by ${processes}`]: alone.printed,
        [`written by ${processes}`]: alone.written,
      });
    }
    return { found, expected };
  });
}

async function printedAlone(args) {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args].map(String));
  return stdout;
}

async function printedTogether({ mpi, hosts, options }, args, processes) {
  const words = [...args, '--workers', 1, '--world-size', processes];
  const groups = [[processes, sharedCommand(mpi.library, words)]];
  const { code, stdout, stderr, left } = await new Job({
    line: jobLine({ mpi, hosts, groups, options }),
    hosts,
  }).ended;
  if (code !== 0) throw new Error(`${processes} processes ended with ${code}: ${firstLines(stderr)}`);
  if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
  return stdout;
}
