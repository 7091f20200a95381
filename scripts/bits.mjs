// The test matrix of the bit contract, on real MNIST. Usage:
//   npm run test:bits -- [WORD…] [--install] [--require-all] [--seed N] [--write-golden]
// WORDs choose rows: kinds (PET ENV), models (mlp), modes (fused), words of what a row does (arm64). A row
// for which this machine lacks something is skipped with the reason; with --require-all that is a failure.
// --install fetches Nodes and QEMU into a folder outside of the tree. --write-golden writes bits.json anew.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { generator } from '../build/test/coordinator/parkMiller.js';
import { canFuse } from '../dist/kernels/platform.js';
import { FOLDER, install } from './bits/machines.mjs';
import { ARITHMETIC, MODELS, rowsOf, STEPS } from './bits/rows.mjs';
import { trace } from './bits/runs.mjs';

const GOLDEN = new URL('../test/coordinator/bits.json', import.meta.url);
const COMMAND = 'npm run test:bits -- GLD --write-golden';

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    install: { type: 'boolean' },
    'require-all': { type: 'boolean' },
    'write-golden': { type: 'boolean' },
    seed: { type: 'string' },
  },
});
if (values.install) install(console.log);
if (values['write-golden']) await writeGolden();
if (!existsSync(GOLDEN)) throw new Error(`test/coordinator/bits.json is missing: ${COMMAND}`);
const golden = JSON.parse(readFileSync(GOLDEN, 'utf8'));
const seed = Number(values.seed ?? 1 + (Date.now() % 2_147_483_646));
if (!Number.isInteger(seed) || seed < 1 || seed > 2_147_483_646) {
  throw new Error('--seed takes a whole number from 1 to 2147483646.');
}
const random = generator(seed);
const began = performance.now();
console.log(
  `Node ${process.versions.node}, ${process.arch}; seed of the kills ${seed}; other Nodes in ${FOLDER}\n`,
);
printRow(['test', 'model', 'arithmetic', 'what', 'hashes', 'result', 'time']);
console.log(`|${'---|'.repeat(7)}`);

const counts = { equal: 0, skipped: 0, FAILED: 0 };
for (const model of MODELS) {
  for (const arithmetic of ARITHMETIC) {
    for (const row of rowsOf(model, arithmetic, golden[arithmetic][model], random)) {
      if (isChosen(row)) counts[await runRow(row)]++;
    }
  }
}
const minutes = (performance.now() - began) / 60_000;
console.log(
  `\n${counts.equal} rows equal, ${counts.skipped} skipped, ${counts.FAILED} failed; ${minutes.toFixed(1)} minutes.`,
);
if (counts.equal + counts.skipped + counts.FAILED === 0) {
  console.error(`No row has ${words.join(', ')}.`);
  process.exitCode = 2;
} else if (counts.FAILED > 0 || (values['require-all'] && counts.skipped > 0)) {
  process.exitCode = 1;
}

/** Whether at least one of the words of each sort fits the row. */
function isChosen({ kind, model, arithmetic, what }) {
  const text = `${kind} ${what}`.toLowerCase();
  const sorts = [
    words.filter((word) => MODELS.includes(word)),
    words.filter((word) => ARITHMETIC.includes(word)),
    words.filter((word) => !MODELS.includes(word) && !ARITHMETIC.includes(word)),
  ];
  const fits = [
    (word) => word === model,
    (word) => word === arithmetic,
    (word) => text.includes(word.toLowerCase()),
  ];
  return sorts.every((sort, index) => sort.length === 0 || sort.some(fits[index]));
}

async function runRow({ kind, model, arithmetic, what, attempts }) {
  const start = performance.now();
  let hashes = 0;
  const problems = [];
  const skips = [];
  const notes = [];
  for (const [name, run] of attempts) {
    const result =
      arithmetic === 'fused' && !canFuse()
        ? { skipped: 'this machine does not fuse multiply-adds' }
        : await run().catch((error) => ({ error }));
    if (result.error) problems.push(`${name}: ${result.error.message}`);
    else if (result.skipped) skips.push(result.skipped);
    else {
      const { found, expected, note } = result;
      hashes += 2 * found.length;
      if (note) notes.push(note);
      problems.push(...differences(found, expected).map((text) => `${name}: ${text}`));
    }
  }
  const verdict = problems.length > 0 ? 'FAILED' : skips.length > 0 ? 'skipped' : 'equal';
  const details = [...problems, ...new Set(skips), ...notes].join('; ');
  const seconds = `${((performance.now() - start) / 1000).toFixed(0)} s`;
  printRow([
    kind,
    model,
    arithmetic,
    what,
    hashes,
    details === '' ? verdict : `${verdict}: ${details}`,
    seconds,
  ]);
  return verdict;
}

/** What differs, by step and buffer. */
function differences(found, expected) {
  if (found.length !== expected.length) return [`${found.length} steps in place of ${expected.length}`];
  return found.flatMap((hashes, index) =>
    ['step', 'parameters', 'optimizerState']
      .filter((name) => hashes[name] !== expected[index][name])
      .map((name) => `${name} at step ${hashes.step}: ${hashes[name]} in place of ${expected[index][name]}`),
  );
}

function printRow(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}

/** Undisturbed, on one worker; the last hashes must be those of golden.json, which never change. */
async function writeGolden() {
  const old = JSON.parse(readFileSync(new URL('golden.json', GOLDEN), 'utf8'));
  const about =
    'SHA-256 of the parameters, and of the optimizer state (all tensors, in the order of a checkpoint), after some steps ' +
    `on MNIST from seed 0, on one worker. Made by: ${COMMAND}. The checkpoint of: npx lowerbound train --model MODEL ` +
    '--arithmetic ARITHMETIC --max-steps STEP --no-pictures has the same.';
  const made = { about };
  for (const arithmetic of ARITHMETIC) {
    made[arithmetic] = {};
    for (const model of MODELS) {
      const { steps, missing } = await trace({ model, arithmetic, workers: 1 }, STEPS);
      if (missing) throw new Error(`The hashes cannot be made here: ${missing}.`);
      if (steps.at(-1).parameters !== old[arithmetic][model]) {
        throw new Error(`${model}, ${arithmetic}: step ${STEPS.at(-1)} has not the hash of golden.json.`);
      }
      made[arithmetic][model] = steps;
    }
  }
  writeFileSync(GOLDEN, `${JSON.stringify(made, null, 2)}\n`);
}
