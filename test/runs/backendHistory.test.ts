import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continuedConfig } from '#src/runs/backendHistory.js';
import { parseRunConfig, type RunConfig } from '#src/runs/runConfig.js';
import { tinyConfig } from './exampleRun.js';

type Name = RunConfig['backend'];

/** A run with these backends, each up to a step, and the last one's. */
function run(backend: Name, ...earlier: readonly (readonly [Name, number])[]): RunConfig {
  if (earlier.length === 0) return { ...tinyConfig, backend };
  const earlierBackends = earlier.map(([name, untilStep]) => ({ backend: name, untilStep }));
  return { ...tinyConfig, backend, earlierBackends };
}

const cases: readonly [what: string, saved: RunConfig, step: number, now: Name, expected: RunConfig][] = [
  ['the same backend: nothing to remember', run('wasm'), 10, 'wasm', run('wasm')],
  ['another one before the first step', run('wasm'), 0, 'cpu', run('cpu')],
  ['another one', run('simd'), 10, 'wasm', run('wasm', ['simd', 10])],
  ['a third one', run('wasm', ['simd', 10]), 20, 'cpu', run('cpu', ['simd', 10], ['wasm', 20])],
  ['back to the first', run('wasm', ['simd', 10]), 20, 'simd', run('simd', ['simd', 10], ['wasm', 20])],
  ['changed without a step, and back', run('wasm', ['simd', 10]), 10, 'simd', run('simd')],
  ['changed twice without a step', run('wasm', ['simd', 10]), 10, 'cpu', run('cpu', ['simd', 10])],
  [
    'an older checkpoint than the change',
    run('wasm', ['simd', 10], ['cpu', 20]),
    15,
    'wasm',
    run('wasm', ['simd', 10], ['cpu', 15]),
  ],
  ['a checkpoint before every change', run('wasm', ['simd', 10]), 5, 'wasm', run('wasm', ['simd', 5])],
];

for (const [what, saved, step, now, expected] of cases) {
  test(`a resumed run: ${what}`, () => {
    const requested = { ...saved, backend: now };
    assert.deepEqual(continuedConfig(requested, saved, step), expected);
    assert.deepEqual(parseRunConfig(JSON.parse(JSON.stringify(expected)), 'c'), expected);
  });
}
