import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '#src/setup/command.js';
import { reasonIn } from '#src/setup/workshop.js';
import { temporaryDirectory } from '../runs/temporaryDirectory.js';

const directory = temporaryDirectory();

function script(code: string, ...args: string[]) {
  return { program: process.execPath, args: ['-e', code, ...args], directory, timeLimit: 60 };
}

/** Starts another process that would run for a minute, and writes its number where the test finds it. */
const PARENT = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'inherit' });
  require('node:fs').writeFileSync(process.argv[1], String(child.pid));
  process.on('SIGTERM', () => {});
  setTimeout(() => {}, 60_000);
`;

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Killed, and not yet collected by the process that has adopted it.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a command', () => {
  it('gives its code and what it wrote', async () => {
    const code = 'process.stdout.write("out"); process.stderr.write(process.env.SAID); process.exitCode = 3';
    assert.deepEqual(await runCommand({ ...script(code), env: { SAID: 'err' } }), {
      kind: 'ended',
      code: 3,
      stdout: 'out',
      stderr: 'err',
    });
  });

  it('takes its words as they are: there is no shell', async () => {
    const word = '$HOME; `id` "\'*';
    const outcome = await runCommand(script('process.stdout.write(process.argv[1])', word));
    assert.ok(outcome.kind === 'ended');
    assert.equal(outcome.stdout, word);
  });

  it('that does not exist', async () => {
    const program = join(directory, 'nothing');
    assert.deepEqual(await runCommand({ ...script(''), program }), { kind: 'absent' });
  });

  it('that takes too long is ended', async () => {
    const outcome = await runCommand({ ...script('setTimeout(() => {}, 60_000)'), timeLimit: 0.2 });
    assert.equal(outcome.kind, 'tooLong');
  });

  it('that is stopped ends with all that it has started, even against its will', {
    skip: process.platform === 'linux' ? false : 'looks into /proc, which Linux has',
    // Less than what it has started would live.
    timeout: 30_000,
  }, async () => {
    const file = join(directory, 'pid');
    const controller = new AbortController();
    const running = runCommand({ ...script(PARENT, file), signal: controller.signal });
    await waitFor(() => existsSync(file) && readFileSync(file, 'utf8') !== '');
    const pid = Number(readFileSync(file, 'utf8'));
    assert.ok(isRunning(pid));
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    assert.ok(!isRunning(pid));
  });

  it('is not started when it was stopped before', async () => {
    const file = join(directory, 'never');
    const code = 'require("node:fs").writeFileSync(process.argv[1], "")';
    await assert.rejects(runCommand({ ...script(code, file), signal: AbortSignal.abort() }), {
      name: 'AbortError',
    });
    assert.ok(!existsSync(file));
  });
});

describe('the reason of a failure', () => {
  const cases: readonly (readonly [of: string, output: string, reason: string])[] = [
    [
      'a script under npm',
      'node:events:502\n      throw er;\n\nError: getaddrinfo ENOTFOUND a.server\n    at x\nnpm error code 1\nnpm error path /x',
      'getaddrinfo ENOTFOUND a.server',
    ],
    [
      'npm',
      'npm error code E404\nnpm error 404 Not Found - GET https://a/b\nnpm error A complete log of this run is in /x',
      '404 Not Found - GET https://a/b',
    ],
    [
      'pip',
      'Looking in links: /x\nERROR: No matching distribution found for y.',
      'No matching distribution found for y',
    ],
    [
      'a compiler',
      "In file included from a.h:1,\nb.cc:3:10: fatal error: 'c.h' file not found\n1 error generated.",
      "b.cc:3:10: fatal error: 'c.h' file not found",
    ],
    ['a linker', '/usr/bin/ld: cannot find -ltensorflow\n', '/usr/bin/ld: cannot find -ltensorflow'],
    ['a program without a word', ' \n', 'it said nothing'],
  ];
  for (const [of, output, reason] of cases) {
    it(`of ${of}`, () => assert.equal(reasonIn(output), reason));
  }
});
