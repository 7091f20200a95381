// The matrix of runs by several processes over MPI, on real MNIST. Usage:
//   npm run test:cluster -- [WORD…] [--require-all] [--seed N]
// WORDs choose rows: models (mlp), places (shared tcp), words of libraries (mpich 5.0.11), kinds (PEM KIL)
// or words of what a row does. What this machine lacks is skipped with the reason; with --require-all that is
// a failure. LOWERBOUND_MPI names installations of MPI. Two hosts are network namespaces, which need root.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generator } from '../build/test/coordinator/parkMiller.js';
import { setupMpi } from '../dist/setup/mpi.js';
import { writeExcerpt } from './cluster/excerpt.mjs';
import { killRow, linkRow, refusalRows, stopRow } from './cluster/faults.mjs';
import { inferenceRow } from './cluster/inference.mjs';
import { bitRows, MODELS, References } from './cluster/rows.mjs';
import { differences, withFolder } from './cluster/runs.mjs';
import { trafficRow } from './cluster/traffic.mjs';
import { makeHosts } from './cluster/twoHosts.mjs';

const PLACES = { shared: 'shared memory', tcp: 'TCP, two hosts' };

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { 'require-all': { type: 'boolean' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? 1 + (Date.now() % 2_147_483_646));
if (!Number.isInteger(seed) || seed < 1 || seed > 2_147_483_646) {
  throw new Error('--seed takes a whole number from 1 to 2147483646.');
}

const began = performance.now();
const counts = { equal: 0, skipped: 0, FAILED: 0 };
const reports = await setupMpi().catch((error) => {
  console.log(`No row runs: ${error.message}`);
  return [];
});
const libraries = reports.filter((mpi) => mpi.works);
for (const { library, reason } of reports.filter((mpi) => !mpi.works)) {
  console.log(`${library} is left out: ${reason}`);
}
const hosts = makeHosts();
const leave = () => hosts.close?.();
process.on('exit', leave);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

console.log(`Node ${process.versions.node}, ${availableParallelism()} cores; seed of the kills ${seed}\n`);
printRow(['test', 'model', 'library', 'between processes', 'what', 'result', 'time']);
console.log(`|${'---|'.repeat(7)}`);
await withFolder(async (folder) => {
  const data = writeExcerpt(join(folder, 'data'));
  const other = writeExcerpt(join(folder, 'other'), 480);
  const references = new References();
  for (const mpi of libraries) {
    for (const [name, between] of Object.entries(PLACES)) {
      // Every place has the same kills, whichever rows were chosen.
      const random = generator(seed);
      const place = { mpi, hosts: name === 'tcp' ? hosts : undefined };
      const rows = rowsOf(name, place, { data, other, references, random });
      for (const row of rows.map((row) => ({ ...row, name, between, library: titleOf(mpi) }))) {
        if (isChosen(row)) counts[await runRow(row, name === 'tcp' ? hosts.missing : undefined)]++;
      }
    }
  }
});
const minutes = (performance.now() - began) / 60_000;
console.log(
  `\n${counts.equal} rows as they must be, ${counts.skipped} skipped, ${counts.FAILED} failed; ${minutes.toFixed(1)} minutes.`,
);
if (counts.equal + counts.skipped + counts.FAILED === 0) {
  if (libraries.length > 0) console.error(`No row has ${words.join(', ')}.`);
  process.exitCode = libraries.length > 0 ? 2 : values['require-all'] ? 1 : 0;
} else if (counts.FAILED > 0 || (values['require-all'] && counts.skipped > 0)) {
  process.exitCode = 1;
}

function rowsOf(name, place, { data, other, references, random }) {
  const bits = [...bitRows(place, data, references), inferenceRow(place, data)];
  const rows = [...bits, killRow(place, references, random)];
  return name === 'tcp'
    ? [...rows, linkRow(place, references), trafficRow(place)]
    : [...rows, stopRow(place, references), ...refusalRows(place, data, other)];
}

/** A library has an ABI of its own, and may have that of MPI 5 beside it. */
function titleOf({ version, abi }) {
  return abi === 'MPI 5' ? `${version} (libmpi_abi)` : version;
}

/** Whether at least one of the words of each sort fits the row. */
function isChosen({ kind, model, name, library, what }) {
  const lower = words.map((word) => word.toLowerCase());
  const ofLibraries = libraries.map((mpi) => titleOf(mpi).toLowerCase());
  const sortOf = (word) => {
    if (word in MODELS) return 'model';
    if (word in PLACES) return 'name';
    return ofLibraries.some((title) => title.includes(word)) ? 'library' : 'what';
  };
  const texts = { model, name, library: library.toLowerCase(), what: `${kind} ${what}`.toLowerCase() };
  return Object.entries(texts).every(([sort, text]) => {
    const those = lower.filter((word) => sortOf(word) === sort);
    const exact = sort === 'model' || sort === 'name';
    return those.length === 0 || those.some((word) => (exact ? text === word : text.includes(word)));
  });
}

async function runRow({ kind, model, library, between, what, attempts }, missing) {
  const start = performance.now();
  const problems = [];
  const skips = [];
  const notes = [];
  for (const [name, run] of missing === undefined ? attempts : []) {
    const result = await attempt(run);
    if (result.error) problems.push(`${name}: ${result.error.message}`);
    else if (result.skipped) skips.push(result.skipped);
    else {
      if (result.note) notes.push(result.note);
      problems.push(...differences(result.found, result.expected).map((text) => `${name}: ${text}`));
    }
  }
  if (missing !== undefined) skips.push(missing);
  const verdict = problems.length > 0 ? 'FAILED' : skips.length > 0 ? 'skipped' : 'equal';
  const details = [...problems, ...new Set(skips), ...notes].join('; ');
  const said = verdict === 'equal' && (kind === 'REF' || kind === 'TRF') ? 'as it must be' : verdict;
  const seconds = `${((performance.now() - start) / 1000).toFixed(0)} s`;
  printRow([kind, model, library, between, what, details === '' ? said : `${said}: ${details}`, seconds]);
  return verdict;
}

async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    return { error };
  }
}

function printRow(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}
