// The seam of backends: every name is declared whole, and no name is compared outside of src/backends.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BACKEND_NAMES, type BackendName, DEFAULT_BACKEND } from '#src/backends/backend.js';
import type { BackendDeclaration } from '#src/backends/declaration.js';
import { BACKENDS } from '#src/backends/registry.js';
import { openSession } from '#src/coordinator/session.js';
import { requestedConfig } from '#src/coordinator/trainOptions.js';
import { loadDataset } from '#src/data/registry.js';
import { parameterHash } from '#src/runs/checkpoint.js';
import { joinRanks } from '#src/worker/joinRanks.js';
import { Rank } from '#src/worker/rank.js';
import { StepLoop } from '#src/worker/stepLoop.js';
import { smallData, smallModel } from '../coordinator/smallRun.js';
import { withTemporaryDirectory } from '../coordinator/temporaryRun.js';
import { smallModels } from '../reference/smallModels.js';

const SOURCES = fileURLToPath(new URL('../../../src/', import.meta.url));

/** A comparison with a name of a backend, or a case of one. */
const COMPARISON = new RegExp(
  `(?:[!=]==|case) '(?:${BACKEND_NAMES.join('|')})'|'(?:${BACKEND_NAMES.join('|')})' [!=]==`,
);

test('every name has a declaration, in the order of the names', () => {
  assert.deepEqual(Object.keys(BACKENDS), [...BACKEND_NAMES]);
  assert.ok(BACKENDS[DEFAULT_BACKEND].isInstalled(), 'the default needs nothing');
  const titles = BACKEND_NAMES.map((name) => BACKENDS[name].title);
  assert.equal(new Set(titles).size, titles.length, 'the headline tells backends apart');
});

test('a plan has a power of two of shards at once, and none at once where owners compute', () => {
  for (const model of smallModels) {
    for (const name of BACKEND_NAMES) {
      const plan = BACKENDS[name].plan({
        ...{ model, samples: 2, kl: 'analytic', objective: 'elbo', tile: '4x8' },
        likelihood: { name: 'bernoulli', values: {} },
        ...{ shards: 8, batchSize: 64 },
      });
      assert.ok(Number.isInteger(Math.log2(plan.mostParts)), `${name}: ${plan.mostParts} parts`);
      if (plan.owned) assert.equal(plan.mostParts, 1, name);
    }
  }
});

/** Takes some steps of the small model on this thread alone; returns the parameters' hash. */
async function hashAfterSteps(backend: BackendName): Promise<string> {
  let hash = '';
  await withTemporaryDirectory(async (directory) => {
    const dataset = loadDataset(await smallData(directory));
    const config = await requestedConfig({ model: smallModel }, dataset, undefined);
    const { state } = openSession({ config: { ...config, backend }, dataset, workers: 1 });
    state.shuffle(0);
    const { memory, module, layout, model, settings } = state;
    const { arithmetic, tile, revectorized } = settings;
    const limits = { barrierTimeLimit: 1000, barrierSpins: 0 };
    const context = { memory, module, layout, model, settings, ...limits };
    const create = await BACKENDS[backend].load({ arithmetic, tile, revectorize: revectorized });
    const task = { rank: 0, ranks: 1, epoch: 0, firstStep: 0, endStep: 3, skipped: [] };
    const rank = new Rank(0, context, create);
    assert.equal(new StepLoop(rank, task, joinRanks(rank, task)).run(), 3);
    hash = parameterHash(Float32Array.from(state.parameters));
  });
  return hash;
}

test('a backend that is new needs its line in the registry, and nothing else', async () => {
  const calls: string[] = [];
  const { simd } = BACKENDS;
  const fifth: BackendDeclaration = {
    ...simd,
    prepare: () => calls.push('prepare'),
    allowsRevectorization: () => {
      calls.push('allowsRevectorization');
      return simd.allowsRevectorization();
    },
    plan: (options) => {
      calls.push('plan');
      return simd.plan(options);
    },
    memory: (options) => {
      calls.push('memory');
      // More than it uses, and not a multiple of anything.
      const { packed, workspace } = simd.memory(options);
      return { packed: packed + 1001, workspace: workspace + 3 };
    },
    load: (options) => {
      calls.push('load');
      return simd.load(options);
    },
  };
  const registry = BACKENDS as Record<string, BackendDeclaration>;
  registry.fifth = fifth;
  try {
    assert.equal(await hashAfterSteps('fifth' as BackendName), await hashAfterSteps('simd'));
    assert.deepEqual(calls, ['prepare', 'allowsRevectorization', 'plan', 'memory', 'load']);
  } finally {
    delete registry.fifth;
  }
});

test('nothing outside of src/backends compares the name of a backend', () => {
  // In src/tfjs it is TensorFlow.js's own name; the set-up is of one backend.
  const own = ['backends/', 'tfjs/', 'cli/setup.ts'];
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !own.some((place) => file.startsWith(place)));
  assert.ok(files.length > 100, `${files.length} files`);
  const found = files.filter((file) => COMPARISON.test(readFileSync(join(SOURCES, file), 'utf8')));
  assert.deepEqual(found, []);
  assert.match("if (backend === 'simd')", COMPARISON, 'the test can fail');
});
