import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageWith } from './generatedTable.js';
import { survey } from './survey.js';

test('docs/tfjs-wasm-kernels.md has the verdicts of this run', async () => {
  const { found, expected } = pageWith('tfjs-wasm-kernels.md', { ...(await survey()) });
  assert.equal(found, expected, 'Run "node build/bench/tfjs/survey.js".');
});
