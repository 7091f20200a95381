import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Address, addressOf, NONE, plus, type Quantity } from '#src/kernels/address.js';
import { nameArguments } from '#src/kernels/bindings.js';
import { compileKernels } from '#src/kernels/kernels.js';

const script = fileURLToPath(new URL('../../../scripts/kernel-bindings.mjs', import.meta.url));

function moduleExports(): Record<string, (...args: number[]) => unknown> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { exports } = new WebAssembly.Instance(compileKernels('portable'), { env: { memory } });
  return exports as Record<string, (...args: number[]) => unknown>;
}

test('bindings.ts is what the kernels declare', () => {
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('every function of the module is bound, with as many arguments as it takes', () => {
  const exports = moduleExports();
  const names = Object.keys(exports);
  const passed = new Map<string, unknown[]>();
  const recorders = names.map((name) => [name, (...args: unknown[]) => passed.set(name, args)] as const);
  const bound = nameArguments({ exports: Object.fromEntries(recorders) });
  assert.deepEqual(Object.keys(bound).sort(), names.sort());
  // A record in which each argument is its own name, for the kernels that take one.
  const named = new Proxy({}, { get: (_, name) => name });
  for (const [name, kernel] of Object.entries(bound)) {
    const takesRecord = exports[name]!.length > 6;
    (kernel as (...args: unknown[]) => unknown)(
      ...(takesRecord ? [named] : Array(exports[name]!.length).fill(0)),
    );
    const args = passed.get(name)!;
    assert.equal(args.length, exports[name]!.length, name);
    if (takesRecord) assert.equal(new Set(args).size, args.length, `${name}: each argument once`);
  }
});

test('the last argument of a record reaches the kernel in its place', () => {
  const calls: unknown[][] = [];
  const { treeGradient6x16 } = nameArguments({
    exports: { treeGradient6x16: (...args: unknown[]) => calls.push(args) },
  });
  treeGradient6x16({
    stack: addressOf(10),
    zeros: addressOf(9),
    smallPitch: 8,
    bigPitch: 7,
    table: addressOf(6),
    shards: 5,
    bigOffset: 4,
    gradient: addressOf(3),
    columns: 2,
    rows: 1,
  });
  assert.deepEqual(calls, [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
});

test('an address is an address, and a count a count, to the compiler', () => {
  const at: Address = plus(addressOf(64), 16);
  assert.equal(at, 80);
  assert.equal(plus(at, -80), NONE);
  // @ts-expect-error: a count is not an address.
  const wrongAddress: Address = 3;
  // @ts-expect-error: nor an address a count.
  const wrongCount: Quantity = at;
  // @ts-expect-error: nor the distance to another address.
  plus(at, NONE);
  assert.ok(wrongAddress + wrongCount > 0);
});
