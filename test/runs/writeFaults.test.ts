// Every system call with which a run writes to its directory fails, or is the last one of the process. Then
// --resume ends with the bits and the lines of the undisturbed run. `npm run test:writes` takes every call;
// `npm test` some of them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isTemporaryFile } from '#src/runs/atomicFile.js';
import { runProgram } from '../cli/program.js';
import { parseLines, succeed } from '../cli/smallRun.js';
import { smallData, smallModel } from '../coordinator/smallRun.js';
import { withoutTimes } from '../coordinator/temporaryRun.js';
import { temporaryDirectory } from './temporaryDirectory.js';

const KINDS = ['kill', 'torn', 'EIO', 'ENOSPC'] as const;

/** A failed write stops the run with a checkpoint, behind which nothing writes these lines again. */
const LOST =
  /stopped after step (\d+), with a checkpoint: .+ Its lines of metrics\.jsonl from step (\d+) on are lost/;

/** Points of each kind in the short form. */
const SHORT = 1;

/** Cases at a time in the whole form. */
const AT_ONCE = 3;

const whole = process.env.LOWERBOUND_WRITES === 'all';
const source = fileURLToPath(new URL('../../../test/runs/writeFaults.c', import.meta.url));
const canPreload = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

describe('every write of a run', { skip: !canPreload && 'needs Linux and a C compiler' }, () => {
  const directory = temporaryDirectory();
  const library = join(directory, 'writeFaults.so');
  const common = ['--data', 'data', '--workers', '1', '--no-pictures', '--log-every', '2', '--json'];
  const often = ['--checkpoint-every', '5', '--keep-checkpoints', '2'];
  const begin = ['train', '--model', './small.json', '--epochs', '2', ...often, ...common];
  let calls: string[] = [];
  let hash = '';

  /** Runs with a fault in the directory `out`, which is an absolute path. */
  const disturbed = (args: readonly string[], out: string, at: number, kind: string, log: string) =>
    runProgram(args, directory, {
      LD_PRELOAD: library,
      WRITE_FAULTS_DIRECTORY: out,
      WRITE_FAULTS_AT: String(at),
      WRITE_FAULTS_KIND: kind,
      WRITE_FAULTS_LOG: log,
    });

  const linesOf = (out: string) =>
    parseLines(readFileSync(join(out, 'metrics.jsonl'), 'utf8')).map(withoutTimes);

  before(async () => {
    const built = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], {
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stderr);
    await smallData(directory);
    writeFileSync(join(directory, 'small.json'), JSON.stringify(smallModel));
    const out = join(directory, 'whole');
    const log = join(directory, 'calls');
    const { code, stdout, stderr } = await disturbed([...begin, '--out', out], out, 0, 'kill', log);
    assert.equal(code, 0, stderr);
    hash = String(parseLines(stdout).at(-1)!.parametersSha256);
    calls = readFileSync(log, 'utf8').trimEnd().split('\n');
  });

  async function check(kind: (typeof KINDS)[number], at: number): Promise<void> {
    const name = `${kind} at call ${at} of ${calls.length}, ${calls[at - 1]}`;
    const out = join(directory, `${kind}-${at}`);
    const log = `${out}.calls`;
    const { code, stderr } = await disturbed([...begin, '--out', out], out, at, kind, log);
    const dies = kind === 'kill' || kind === 'torn';
    if (dies) assert.equal(code, null, `${name}: the run was not killed, ${stderr}`);
    else {
      // What was asked of the disk in vain is told in a sentence, unless nothing is lost by it.
      assert.ok(code === 2 || code === 0, `${name}: code ${code}, ${stderr}`);
      if (code === 2) assert.match(stderr, /^\S+ cannot be (written|read): .+\n$/, name);
    }
    // A fault before there is a config leaves no run: the same command begins it.
    const again = existsSync(join(out, 'config.json'))
      ? ['train', '--resume', out, ...often, ...common]
      : [...begin, '--out', out];
    const last = parseLines(await succeed(again, directory)).at(-1)!;
    assert.equal(last.parametersSha256, hash, name);
    // Lines that could not be written are lost only where the run has said so.
    const [, stopped, from] = LOST.exec(stderr) ?? [];
    const isLost = ({ kind, step }: Record<string, unknown>) =>
      from !== undefined &&
      kind === 'batch' &&
      Number(step) >= Number(from) &&
      Number(step) <= Number(stopped);
    const expected = linesOf(join(directory, 'whole')).filter((line) => !isLost(line));
    assert.deepEqual(linesOf(out), expected, name);
    const left = readdirSync(out, { recursive: true }).map(String);
    assert.deepEqual(
      left.filter((file) => isTemporaryFile(file) || /\block\b/.test(file)),
      [],
      name,
    );
    rmSync(out, { recursive: true });
  }

  it(
    whole ? 'cut at every system call' : 'cut at some system calls of each kind (all: npm run test:writes)',
    async (context) => {
      const cases = KINDS.flatMap((kind, k) => {
        const points = whole ? calls.length : SHORT;
        return Array.from({ length: points }, (_, i) => {
          // The short form takes others of each kind.
          const at = whole
            ? i + 1
            : 1 + Math.floor(((i + (k + 1) / (KINDS.length + 1)) / points) * calls.length);
          return [kind, at] as const;
        });
      });
      const queue = [...cases];
      const failures: string[] = [];
      const work = async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          await check(...next).catch((error: unknown) => failures.push(String(error)));
        }
      };
      await Promise.all(Array.from({ length: whole ? AT_ONCE : 2 }, work));
      const counts = new Map<string, number>();
      for (const call of calls) counts.set(call, (counts.get(call) ?? 0) + 1);
      context.diagnostic(
        `${cases.length} cuts at ${calls.length} calls (${[...counts].map((entry) => entry.join(' ')).join(', ')})`,
      );
      assert.deepEqual(failures, []);
    },
  );
});
