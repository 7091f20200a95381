import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { main, runProgram, startProgram } from './program.js';
import { parseLines, succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

describe('a run that ends early', {
  skip: process.platform === 'win32' && 'Windows has no such signals',
}, () => {
  const directory = temporaryDirectory();
  /** 1,000 epochs of 2,500 short steps. */
  const args = [
    'train',
    '--data',
    'data',
    '--model',
    'mlp',
    '--batch-size',
    '8',
    '--epochs',
    '1000',
    '--workers',
    '1',
    '--no-pictures',
    '--json',
  ];

  /** One step of all images and 200 draws takes far longer than any test waits. */
  const slow = ['--data', 'data', '--model', 'mlp', '--batch-size', '20000', '--samples', '200'];

  before(() => {
    writeSmallData(directory, 'data', 20_000);
  });

  it('by Ctrl-C leaves with 130 and a checkpoint, from which another number of workers goes on to the same bits', async () => {
    const running = startProgram([...args, '--out', 'once'], directory);
    await running.printed('"kind":"progress"');
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.outcome;
    assert.deepEqual({ code, stderr }, { code: 130, stderr: '' });
    const { reason, step } = parseLines(stdout).at(-1) as { reason: string; step: number };
    assert.equal(reason, 'stopped');
    assert.ok(step > 0 && step < 2_500_000);
    const limit = ['--max-steps', `${step + 20}`, '--json'];
    const resumed = await succeed(
      ['train', '--data', 'data', '--resume', 'once', '--workers', '2', ...limit],
      directory,
    );
    assert.equal(parseLines(resumed)[0]?.step, step);
    const whole = await succeed([...args, '--out', 'whole', '--max-steps', `${step + 20}`], directory);
    assert.equal(parseLines(resumed).at(-1)?.parametersSha256, parseLines(whole).at(-1)?.parametersSha256);
  });

  it('by one key press that arrives twice, as under npx, still writes its checkpoint', async () => {
    const running = startProgram([...args, '--out', 'echo'], directory);
    await running.printed('"kind":"progress"');
    running.process.kill('SIGINT');
    await sleep(5);
    running.process.kill('SIGINT');
    const { code, stdout } = await running.outcome;
    assert.equal(code, 130);
    assert.equal(parseLines(stdout).at(-1)?.reason, 'stopped');
  });

  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`by ${signal} does the same with ${expected}`, async () => {
      const running = startProgram([...args, '--out', signal], directory);
      await running.printed('"kind":"progress"');
      running.process.kill(signal);
      const { code, stdout } = await running.outcome;
      assert.equal(code, expected);
      assert.equal(parseLines(stdout).at(-1)?.reason, 'stopped');
      assert.notEqual(readdirSync(join(directory, signal, 'checkpoints')).length, 0);
    });
  }

  it('because its terminal is closed leaves a checkpoint, and 129 to its shell', {
    skip:
      (process.platform !== 'linux' || !existsSync('/usr/bin/script')) && 'there is no script of util-linux',
  }, async () => {
    const words = [process.execPath, main, ...args.slice(0, -1), '--out', 'closed'];
    // The shell outlives the terminal, to tell the code. Node does not: it takes back that SIGHUP is ignored.
    const line = `trap '' HUP; ${words.map((word) => `'${word}'`).join(' ')}; echo $? > code`;
    const terminal = spawn('/usr/bin/script', ['-qfec', line, '/dev/null'], {
      cwd: directory,
      env: { ...process.env, SHELL: '/bin/sh' },
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    for (let i = 0; i < 600 && !/ELBO -\d/.test(shown); i++) await sleep(50);
    terminal.kill('SIGKILL');
    const code = join(directory, 'code');
    for (let i = 0; i < 600 && !(existsSync(code) && readFileSync(code, 'utf8') !== ''); i++) await sleep(50);
    assert.equal(readFileSync(code, 'utf8'), '129\n', shown);
    assert.equal(readdirSync(join(directory, 'closed/checkpoints')).length, 1);
  });

  for (const delay of [250]) {
    it(`by SIGTERM ${delay} ms after its start leaves with 143 and a checkpoint, or before Node listens with nothing`, async () => {
      const out = `early-${delay}`;
      const running = startProgram([...args, '--out', out], directory);
      await sleep(delay);
      running.process.kill('SIGTERM');
      const { code, stderr } = await running.outcome;
      assert.equal(stderr, '');
      if (code === null) {
        // Node itself was not up: the signal ended it, which shells report as 143.
        assert.equal(running.process.signalCode, 'SIGTERM');
        assert.ok(!existsSync(join(directory, out)));
      } else {
        assert.equal(code, 143);
        assert.equal(readdirSync(join(directory, out, 'checkpoints')).length, 1);
      }
    });
  }

  it('by SIGTERM as soon as its first module runs leaves with 143 and the checkpoint of step 0', async () => {
    // Sent once the program listens at all, long before its command does.
    const out = 'earliest';
    const preload = join(directory, 'preload.mjs');
    writeFileSync(
      preload,
      `process.on('newListener', function heard(name) {
        if (name !== 'SIGTERM') return;
        process.off('newListener', heard);
        setTimeout(() => process.kill(process.pid, 'SIGTERM'));
      });`,
    );
    const variables = { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` };
    const { code, stdout, stderr } = await runProgram([...args, '--out', out], directory, variables);
    assert.deepEqual({ code, stderr }, { code: 143, stderr: '' });
    const { reason, step } = parseLines(stdout).at(-1)!;
    assert.deepEqual([reason, step], ['stopped', 0]);
    assert.deepEqual(readdirSync(join(directory, out, 'checkpoints')), ['step-000000000.safetensors']);
  });

  it('under nohup goes on when its terminal is closed', {
    skip:
      !(
        process.platform === 'linux' &&
        existsSync('/usr/bin/script') &&
        existsSync('/bin/bash') &&
        existsSync('/usr/bin/nohup')
      ) && 'needs bash, script and nohup',
  }, async (context) => {
    const words = [process.execPath, main, ...args.slice(0, -1), '--out', 'nohup'];
    const line = `nohup ${words.map((word) => `'${word}'`).join(' ')} > log 2>&1 & echo $! > pid; sleep 60`;
    const terminal = spawn('/usr/bin/script', ['-qfec', line, '/dev/null'], {
      cwd: directory,
      env: { ...process.env, SHELL: '/bin/bash' },
    });
    const log = join(directory, 'log');
    const trains = () => existsSync(log) && /ELBO -\d/.test(readFileSync(log, 'utf8'));
    for (let i = 0; i < 600 && !trains(); i++) await sleep(50);
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
    // Nothing else would end it, should the test fail.
    context.after(() => void spawnSync('kill', ['-KILL', String(pid)]));
    terminal.kill('SIGKILL');
    process.kill(pid, 'SIGHUP');
    await sleep(1000);
    process.kill(pid, 0);
    assert.doesNotMatch(readFileSync(log, 'utf8'), /Stopping/);
    // The other signals do what they always do.
    process.kill(pid, 'SIGTERM');
    for (let i = 0; i < 600 && !/SHA-256/.test(readFileSync(log, 'utf8')); i++) await sleep(50);
    assert.match(readFileSync(log, 'utf8'), /Stopping after this step, with a checkpoint\.[\s\S]*SHA-256/);
  });

  it('by a second Ctrl-C leaves at once, without a checkpoint', async () => {
    const running = startProgram(['train', ...slow, '--out', 'twice'], directory);
    await running.printed('Training in twice');
    running.process.kill('SIGINT');
    await running.printed('Stopping after this step, with a checkpoint. Ctrl-C again leaves at once.');
    await sleep(600);
    running.process.kill('SIGINT');
    const { code, stderr } = await running.outcome;
    assert.deepEqual({ code, stderr }, { code: 130, stderr: '' });
    assert.deepEqual(readdirSync(join(directory, 'twice/checkpoints')), []);
  });

  it('because nobody reads its output any more stops with a checkpoint and says so', async () => {
    const running = startProgram([...args, '--out', 'unread'], directory);
    await running.printed('"kind":"progress"');
    running.process.stdout.destroy();
    const { code, stderr } = await running.outcome;
    assert.equal(code, 141);
    assert.match(
      stderr,
      /^Standard output was closed\. The run stopped after step \d+, with a checkpoint\.\nSHA-256 +[0-9a-f]{64}\nnext: lowerbound train --resume unread --data data {2}# go on\n/,
    );
    assert.notEqual(readdirSync(join(directory, 'unread/checkpoints')).length, 0);
  });

  it('because a worker does not answer in time names it and fails with 1', async () => {
    const args = ['train', ...slow, '--out', 'late', '--workers', '1', '--barrier-timeout', '0.1'];
    const { code, stderr } = await runProgram(args, directory);
    assert.equal(code, 1);
    assert.match(stderr, /^Rank 0 failed at step 0: No answer within 0\.1 s from rank 0\b.*\.\n$/);
  });
});

describe('a closed pipe', () => {
  it('ends a short command without a stack', async () => {
    const running = startProgram(['--help'], temporaryDirectory());
    running.process.stdout.destroy();
    const { code, stderr } = await running.outcome;
    assert.deepEqual({ code, stderr }, { code: 141, stderr: '' });
  });
});
