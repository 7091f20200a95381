// The same step of training or inference in PyTorch, JAX, jax-js, tfjs and lowerbound, side by side in one
// run: docs/peers.md.
//
//   npm run bench:peers
//   npm run bench:peers -- --case mlp-128 --only pytorch --rounds 15

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadDataset } from '#src/data/registry.js';
import { UsageError } from '#src/errors.js';
import type { Case } from './peers/cases.js';
import { CORES, chosenPeers, LOWERBOUND, type Peer } from './peers/catalogue.js';
import { formatTable, type Outcome } from './peers/comparison.js';
import { contest } from './peers/contest.js';
import { type PeersOptions, parseOptions, USAGE } from './peers/options.js';
import { writeProblem } from './peers/problem.js';
import { startingSession } from './peers/startingSession.js';

async function runCase(problem: Case, peers: readonly Peer[], rounds: number): Promise<Outcome[]> {
  const directory = await mkdtemp(join(tmpdir(), 'lowerbound-peers-'));
  try {
    // Only looked at: no threads start.
    const { state } = await startingSession(problem, loadDataset(), 1);
    await writeProblem(state, directory, problem.inference);
    return await contest(problem, peers, directory, rounds, (text) => process.stderr.write(`${text}\n`));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function main({ cases, only, rounds, out }: PeersOptions): Promise<void> {
  const peers = chosenPeers(only);
  const machine = { node: process.versions.node, processor: cpus()[0]?.model ?? '', cores: CORES };
  console.log(
    `Node ${machine.node}, ${machine.cores} of ${cpus().length} cores, ${machine.processor}, load ${loadavg()[0]!.toFixed(1)}`,
  );
  const results: { case: Case; outcomes: Outcome[] }[] = [];
  for (const problem of cases) {
    const outcomes = await runCase(problem, peers, rounds);
    console.log(`\n${formatTable(problem, outcomes, LOWERBOUND)}`);
    results.push({ case: problem, outcomes });
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, `${JSON.stringify({ machine, rounds, results }, null, 2)}\n`);
    if (outcomes.some(({ kind }) => kind === 'disagrees' || kind === 'failed')) process.exitCode = 1;
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
