import { test } from 'node:test';
import { hasTfjs, loadTfjs, prepareTfjs } from '#src/backends/tensorflow/load.js';
import type { TfjsBackendName } from '#src/backends/tensorflow/runtime.js';
import { choosePlatform } from '#src/kernels/platform.js';
import { simdKind, tfjsKind } from './backendHarness.js';
import { contract } from './contract.js';

/** What installs each of them. */
const installation = {
  wasm: 'npm ci',
  cpu: 'npm ci',
  native: 'node dist/cli/main.js setup native',
} as const;

/** The contract for one of TensorFlow.js's backends, in a process of its own. */
export async function tfjsContract(name: TfjsBackendName): Promise<void> {
  if (!hasTfjs(name)) {
    const skip = `what it needs is not installed: run "${installation[name]}"`;
    test(`${name}: the contract`, { skip }, () => {});
    return;
  }
  prepareTfjs(name);
  const runtime = await loadTfjs(name, { arithmetic: 'portable' });
  contract(tfjsKind(runtime), simdKind(choosePlatform({ arithmetic: 'portable' })));
}
