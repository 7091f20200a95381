// The seam of backends: every name is declared whole, and no name is compared outside of src/backends.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BACKEND_NAMES, DEFAULT_BACKEND } from '#src/backends/backend.js';
import { BACKENDS } from '#src/backends/registry.js';
import { smallModels } from '../reference/smallModels.js';

const SOURCES = fileURLToPath(new URL('../../../src/', import.meta.url));

/** A comparison with a name of a backend, or a case of one. */
const COMPARISON = new RegExp(
  `(?:[!=]==|case) '(?:${BACKEND_NAMES.join('|')})'|'(?:${BACKEND_NAMES.join('|')})' [!=]==`,
);

test('every name has a declaration, in the order of the names', () => {
  assert.deepEqual(Object.keys(BACKENDS), [...BACKEND_NAMES]);
  assert.ok(BACKENDS[DEFAULT_BACKEND].isInstalled(), 'the default needs nothing');
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
