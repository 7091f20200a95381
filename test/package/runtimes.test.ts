// The command under Deno and Bun, where they are on the PATH: the bits of Node, and their names.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { canFuse } from '#src/kernels/platform.js';
import { runtime } from '#src/runtime.js';
import { type Outcome, run } from './command.js';
import { ROOT } from './installedProject.js';

type Arithmetic = 'portable' | 'fused';

const GOLDEN = JSON.parse(readFileSync(join(ROOT, 'test/coordinator/golden.json'), 'utf8')) as Record<
  Arithmetic,
  Record<'cvae' | 'mlp', string>
>;
const MAIN = join(ROOT, 'dist/cli/main.js');

const directory = mkdtempSync(join(tmpdir(), 'lowerbound-runtimes-'));
after(() => rmSync(directory, { recursive: true, force: true }));

interface Runtime {
  readonly name: string;
  readonly version: string;
  /** The command line that runs the program, without its arguments. */
  readonly command: readonly [string, ...string[]];
}

async function findRuntime(name: string, ...command: [string, ...string[]]): Promise<Runtime | undefined> {
  const { code, stdout } = await run(command[0], ['--version'], directory);
  const version = /\d+\.\d+\.\d+/.exec(stdout)?.[0];
  return code === 0 && version !== undefined ? { name, version, command } : undefined;
}

function lowerbound({ command: [program, ...args] }: Runtime, words: readonly string[]): Promise<Outcome> {
  return run(program, [...args, MAIN, ...words], directory);
}

function train(where: Runtime, model: 'cvae' | 'mlp', arithmetic: Arithmetic): Promise<Outcome> {
  const out = `${where.name}-${model}-${arithmetic}`;
  const flags = ['--model', model, '--arithmetic', arithmetic, '--max-steps', '25', '--workers', '2'];
  return lowerbound(where, ['train', ...flags, '--no-pictures', '--out', out]);
}

async function assertTrains(where: Runtime, model: 'cvae' | 'mlp', arithmetic: Arithmetic): Promise<void> {
  const { code, stdout, stderr } = await train(where, model, arithmetic);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    new RegExp(
      `^Kernels +simd kernels, ${arithmetic} arithmetic, tile \\d+x\\d+, 128-bit, ${where.name} ${where.version}$`,
      'm',
    ),
  );
  assert.equal(/^SHA-256 {6}([0-9a-f]{64})$/m.exec(stdout)?.[1], GOLDEN[arithmetic][model]);
}

/** Asserts that a run it trains itself gives Node's pictures, in portable arithmetic and with titles. */
async function assertDrawsAsNode(where: Runtime): Promise<void> {
  const run = `${where.name}-drawn`;
  const flags = ['--model', 'mlp', '--latent', '2', '--arithmetic', 'portable', '--max-steps', '1'];
  assert.equal((await lowerbound(where, ['train', ...flags, '--no-pictures', '--out', run])).code, 0);
  for (const [command, ...words] of [
    ['sample', '--count', '9'],
    ['manifold', '--side', '3'],
    ['reconstruct', '--count', '4'],
  ] as const) {
    const draw = async (program: Runtime, out: string) => {
      const { code, stderr } = await lowerbound(program, [command, run, ...words, '--out', out]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      return readFileSync(join(directory, out));
    };
    const drawn = await draw(where, `${run}-${command}.png`);
    assert.deepEqual(drawn, await draw(node, `${run}-${command}-node.png`), command);
  }
}

const node: Runtime = { name: 'Node', version: process.versions.node, command: [process.execPath] };

// Before the first test: hooks of a file may run as soon as its tests so far have ended.
const deno = await findRuntime('Deno', 'deno', 'run', '--allow-all');
const bun = await findRuntime('Bun', 'bun');

describe('what runs the process', () => {
  const versions = { ...process.versions, deno: undefined, bun: undefined, node: '26.3.0' };
  const cases = [
    ['Node 26.3.0', {}],
    ['Deno 2.9.6', { deno: '2.9.6' }],
    ['Bun 1.4.5', { bun: '1.4.5' }],
  ] as const;
  for (const [name, more] of cases) {
    it(`is ${name}`, () => assert.equal(runtime({ ...versions, ...more }), name));
  }
});

describe('Deno', { skip: deno === undefined && 'there is no deno on the PATH' }, () => {
  const skipFused = !canFuse() && 'this machine does not fuse multiply-adds';

  it('trains to the bits of record, portable', async () => {
    await assertTrains(deno!, 'mlp', 'portable');
    await assertTrains(deno!, 'cvae', 'portable');
  });

  it('trains to the bits of record, fused', { skip: skipFused }, async () => {
    await assertTrains(deno!, 'mlp', 'fused');
    await assertTrains(deno!, 'cvae', 'fused');
  });
});

describe('pictures', () => {
  for (const [name, where] of [
    ['Deno', deno],
    ['Bun', bun],
  ] as const) {
    it(`have on ${name} the bytes that they have on Node`, {
      skip: where === undefined && `there is no ${name.toLowerCase()} on the PATH`,
    }, async () => {
      await assertDrawsAsNode(where!);
    });
  }
});

describe('Bun', { skip: bun === undefined && 'there is no bun on the PATH' }, () => {
  it('trains to the bits of record, portable', async () => {
    await assertTrains(bun!, 'mlp', 'portable');
    await assertTrains(bun!, 'cvae', 'portable');
  });

  it('refuses fused arithmetic, which it does not have, by its own name', async () => {
    const { code, stderr } = await train(bun!, 'mlp', 'fused');
    assert.equal(code, 2);
    assert.equal(
      stderr,
      `Fused arithmetic is not available here: Bun ${bun!.version} on this machine does not round a multiply-add once. ` +
        'Use --arithmetic portable for a new run; a run that was started fused goes on only where multiply-adds are fused.\n',
    );
  });

  it('takes portable arithmetic by itself', async () => {
    const flags = ['--model', 'mlp', '--max-steps', '1', '--no-pictures', '--out', 'bun-default'];
    const { code, stdout, stderr } = await lowerbound(bun!, ['train', ...flags]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /simd kernels, portable arithmetic/);
  });
});
