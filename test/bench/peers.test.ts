import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadDataset } from '#src/data/registry.js';
import { UsageError } from '#src/errors.js';
import { train } from '#src/index.js';
import { CASES } from '../../bench/peers/cases.js';
import { chosenPeers } from '../../bench/peers/catalogue.js';
import { disagreement, fastest, median, medianRatio, type Timed } from '../../bench/peers/comparison.js';
import { parseOptions } from '../../bench/peers/options.js';
import { PeerProcess } from '../../bench/peers/peerProcess.js';
import { writeProblem } from '../../bench/peers/problem.js';
import { startingSession } from '../../bench/peers/startingSession.js';

function timed(name: string, rates: readonly number[]): Timed {
  return { kind: 'timed', name, version: '', losses: [], rates, disturbances: [] };
}

/** A peer that runs a script. */
function scripted(script: string): PeerProcess {
  return new PeerProcess({ program: process.execPath, args: ['-e', script] });
}

test('losses agree up to rounding, and a loss that is missing or not a number does not', () => {
  assert.equal(disagreement([500.004, 499], [500, 499]), undefined);
  assert.equal(
    disagreement([500, 499.006], [500, 499]),
    "its loss in step 2 is 499.006, lowerbound's is 499",
  );
  assert.equal(disagreement([500], [500, 499]), "its loss in step 2 is NaN, lowerbound's is 499");
  assert.equal(disagreement([Number.NaN], [500]), "its loss in step 1 is NaN, lowerbound's is 500");
});

test('medians, of an odd and an even number of values', () => {
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([4, 1, 2, 100]), 3);
});

test('ratios are taken within each round, so that a slow round cancels', () => {
  // Medians would give 30 / 10; the second round slowed both.
  assert.equal(medianRatio(timed('a', [20, 2, 30]), timed('b', [10, 1, 10])), 2);
});

test('the fastest of a family', () => {
  const peers = [timed('pytorch-eager-1', [1, 2, 3]), timed('jax-1', [9]), timed('pytorch-ddp-2', [4])];
  const slow = { kind: 'absent', name: 'pytorch-none', reason: '' } as const;
  assert.equal(fastest([...peers, slow], 'pytorch')?.name, 'pytorch-ddp-2');
  assert.equal(fastest(peers, 'tfjs'), undefined);
});

test('options, and what is wrong with them', () => {
  assert.deepEqual(parseOptions([])?.cases, CASES);
  const given = parseOptions(['--case', 'mlp-128', '--only', 'jax', '--rounds', '3', '--out', 'x.json']);
  assert.deepEqual(given, { cases: [CASES[2]], only: ['jax'], rounds: 3, out: 'x.json' });
  assert.equal(parseOptions(['--help']), undefined);
  const refused: [string[], RegExp][] = [
    [
      ['--case', 'cvae'],
      /^There is no case "cvae"; cases are cvae-32, cvae-128, mlp-128, iwae-20-k1, iwae-20-k5, importance-5000, ais-100\.$/,
    ],
    [['--rounds', '0'], /^--rounds is 0: expected a whole number from 1 up\.$/],
    [['--fast'], /'--fast'.* --help lists the options\.$/],
  ];
  for (const [args, message] of refused) assert.throws(() => parseOptions(args), error(message));
});

test('peers are chosen by the beginnings of their names; lowerbound always runs', () => {
  const names = chosenPeers(['jax-1', 'tfjs-wasm']).map(({ name }) =>
    name.replace(/^lowerbound-\d+$/, 'ours'),
  );
  assert.deepEqual([...new Set(names)], ['ours', 'jax-1', 'tfjs-wasm', 'tfjs-wasm-kernels']);
  assert.throws(
    () => chosenPeers(['torch']),
    error(/^No peer's name begins with "torch"; peers are lowerbound-1, /),
  );
});

test('a peer whose variable is not set is absent', () => {
  const before = process.env.LOWERBOUND_JAX_PYTHON;
  delete process.env.LOWERBOUND_JAX_PYTHON;
  try {
    const jax = chosenPeers(['jax-1']).at(-1)!;
    assert.deepEqual(jax.command(CASES[0]!, ''), { absent: 'LOWERBOUND_JAX_PYTHON is not set' });
  } finally {
    if (before !== undefined) process.env.LOWERBOUND_JAX_PYTHON = before;
  }
});

test('a peer answers line by line and ends with its input', async () => {
  const peer = scripted(`
    console.log(JSON.stringify({ version: 'v', losses: [1] }));
    require('readline').createInterface({ input: process.stdin }).on('line', (steps) =>
      console.log(JSON.stringify({ seconds: 2 * steps, processorSeconds: 0 })));`);
  assert.deepEqual(await peer.ready(), { version: 'v', losses: [1] });
  assert.equal((await peer.run(3)).seconds, 6);
  assert.equal((await peer.run(4)).seconds, 8);
  await peer.close();
});

test('a peer that ends instead of answering is quoted', async () => {
  const peer = scripted("console.error('No such kernel.'); process.exit(1)");
  await assert.rejects(peer.ready(), /^Error: No such kernel\.$/);
  await peer.close();
  const missing = new PeerProcess({ program: 'lowerbound-no-such-program', args: [] });
  await assert.rejects(missing.ready(), /ENOENT/);
  await missing.close();
});

test("lowerbound's losses as a peer are those of the run's metrics", async () => {
  const { name, model, batchSize } = CASES.find((entry) => entry.model === 'mlp')!;
  const script = fileURLToPath(new URL('../../bench/peers/lowerboundPeer.js', import.meta.url));
  const peer = new PeerProcess({ program: process.execPath, args: [script, name, '1'] });
  const ready = await peer.ready();
  await peer.close();
  assert.ok('losses' in ready, JSON.stringify(ready));
  const directory = await mkdtemp(join(tmpdir(), 'lowerbound-peer-'));
  try {
    const maxSteps = ready.losses.length;
    const run = { model, batchSize, workers: 1, maxSteps, logEvery: 1, pictures: false };
    await train({ ...run, out: join(directory, 'run') });
    const lines = (await readFile(join(directory, 'run', 'metrics.jsonl'), 'utf8')).trim().split('\n');
    const metrics = lines.map((line) => JSON.parse(line) as { kind: string; elbo: number });
    const steps = metrics.filter(({ kind }) => kind === 'batch');
    assert.deepEqual(
      ready.losses,
      steps.map(({ elbo }) => -elbo),
    );
    assert.ok(maxSteps > 1, 'the place of a second step counts');
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('jax-js computes the same two steps, as shipped and with a shim for Worker', async () => {
  const problem = CASES.find((entry) => entry.model === 'mlp')!;
  const directory = await mkdtemp(join(tmpdir(), 'lowerbound-peer-'));
  const lossesOf = async (script: string, ...args: string[]) => {
    const file = fileURLToPath(new URL(`../../bench/peers/${script}`, import.meta.url));
    const peer = new PeerProcess({ program: process.execPath, args: [file, ...args] });
    const ready = await peer.ready();
    assert.ok('losses' in ready, JSON.stringify(ready));
    // A step with noise of its own.
    assert.ok((await peer.run(1)).seconds > 0);
    await peer.close();
    return ready.losses;
  };
  try {
    const { state } = await startingSession(problem, loadDataset(), 1);
    await writeProblem(state, directory);
    const expected = await lossesOf('lowerboundPeer.js', problem.name, '1');
    for (const threads of ['1', '2']) {
      assert.equal(disagreement(await lossesOf('jaxJsPeer.js', directory, threads), expected), undefined);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

function error(message: RegExp): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof UsageError && message.test(thrown.message);
}
