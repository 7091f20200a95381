import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '#src/errors.js';
import { parameterHash } from '#src/runs/checkpoint.js';
import { assertOwnCheckpoint, type RunConfig } from '#src/runs/runConfig.js';
import {
  createNumberedRunDirectory,
  createRunDirectory,
  openRunDirectory,
  type RunDirectory,
} from '#src/runs/runDirectory.js';
import { tinyCheckpoint, tinyConfig, tinyModel } from './exampleRun.js';
import { temporaryDirectory } from './temporaryDirectory.js';

const root = temporaryDirectory();
let runs = 0;
const newPath = () => join(root, `run-${++runs}`);
const newRun = () => createRunDirectory(newPath(), tinyConfig);
const checkpointsOf = (run: RunDirectory) => readdirSync(run.checkpointsPath);
const nameOf = (step: number) => `step-${String(step).padStart(9, '0')}.safetensors`;

async function save(run: RunDirectory, ...steps: number[]): Promise<void> {
  for (const step of steps) await run.saveCheckpoint(tinyCheckpoint(step));
}

test('a new run: its directory, parents included, with the config', async () => {
  const path = join(newPath(), 'deep', 'run');
  const run = await createRunDirectory(path, tinyConfig);
  assert.deepEqual(readdirSync(path), ['checkpoints', 'config.json', 'pictures']);
  assert.deepEqual(run.readConfig(), tinyConfig);
  assert.equal(readFileSync(run.configPath, 'utf8').split('\n')[1], '  "formatVersion": 1,');
  assert.deepEqual((await openRunDirectory(path)).readConfig(), tinyConfig);
  assert.equal(await run.latestCheckpoint(), undefined);
});

test('a new run takes an empty directory, and one where a kill left only a half-written config', async () => {
  const path = newPath();
  mkdirSync(path);
  writeFileSync(join(path, 'config.json.1-0-1.tmp'), '{');
  assert.deepEqual((await createRunDirectory(path, tinyConfig)).readConfig(), tinyConfig);
});

test('refused: the directory of another run', async () => {
  const { path } = await newRun();
  const message = `${path} holds a run already. Continue that run with --resume ${path}, or name another directory for a new one.`;
  await assert.rejects(createRunDirectory(path, tinyConfig), new UsageError(message));
});

test('refused: a directory of other files', async () => {
  const path = newPath();
  mkdirSync(path);
  writeFileSync(join(path, 'thesis.tex'), '');
  const message =
    `${path} is not empty, and what it holds is not a run. Name a new or an empty directory; ` +
    'to continue a run, name its directory with --resume.';
  await assert.rejects(createRunDirectory(path, tinyConfig), new UsageError(message));
  assert.deepEqual(readdirSync(path), ['thesis.tex']);
});

test('refused: a file in the place of the directory', async () => {
  const path = newPath();
  writeFileSync(path, '');
  await assert.rejects(createRunDirectory(path, tinyConfig), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(
      error.message,
      / cannot be written: EEXIST: .+ There is a file of this name: choose another name\.$/,
    );
    return true;
  });
});

test('numbered runs: the first free number, also for runs that start together', async () => {
  const runsRoot = newPath();
  mkdirSync(join(runsRoot, 'tiny-2'), { recursive: true });
  const created = await Promise.all(
    Array.from({ length: 4 }, () => createNumberedRunDirectory(runsRoot, tinyConfig)),
  );
  const paths = created.map(({ path }) => path).sort();
  assert.deepEqual(
    paths,
    [1, 3, 4, 5].map((n) => join(runsRoot, `tiny-${n}`)),
  );
});

test('refused: to open what holds no run', async () => {
  const path = newPath();
  await assert.rejects(
    openRunDirectory(path),
    new UsageError(`${path}: there is no such file or directory. Check the path.`),
  );
  mkdirSync(path);
  await assert.rejects(
    openRunDirectory(path),
    new UsageError(
      `${path} holds no run: it has no config.json. Name the directory that a run was started in.`,
    ),
  );
});

test('a run killed right after its config was written can be opened and used', async () => {
  const path = newPath();
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), JSON.stringify(tinyConfig));
  const run = await openRunDirectory(path);
  // To read it is not to write.
  assert.equal(await run.latestCheckpoint(), undefined);
  assert.deepEqual(readdirSync(path), ['config.json']);
  await run.makeSubdirectories();
  assert.deepEqual(readdirSync(path), ['checkpoints', 'config.json', 'pictures']);
  await save(run, 1);
  assert.equal((await run.latestCheckpoint())?.checkpoint.step, 1);
});

test('a config.json in which a bit has changed, or whose end is lost: refused in a sentence, or no bit of the run differs', async () => {
  const run = await newRun();
  const whole = readFileSync(run.configPath);
  const seen = { refused: 0, read: 0 };
  const check = async (bytes: Uint8Array) => {
    writeFileSync(run.configPath, bytes);
    let config: RunConfig;
    try {
      config = (await openRunDirectory(run.path)).readConfig();
    } catch (error) {
      assert.ok(error instanceof UsageError, String((error as Error).stack));
      assert.ok(error.message.startsWith(run.configPath), error.message);
      seen.refused++;
      return;
    }
    seen.read++;
    try {
      assertOwnCheckpoint(config, run.configPath, tinyConfig, 'checkpoint');
    } catch (error) {
      // It is a config, of another run: the checkpoint says so.
      assert.ok(error instanceof UsageError, String(error));
      return;
    }
    // What is left decides no bit: a name of the data, more epochs, the model's own d (the config's is the
    // one that counts).
    const { epochs, data, model } = config;
    assert.ok(epochs >= tinyConfig.epochs);
    assert.deepEqual(config, {
      ...tinyConfig,
      epochs,
      data: { ...tinyConfig.data, source: data.source },
      model: { ...tinyModel, latent: model.latent },
    });
  };
  await fc.assert(
    fc.asyncProperty(fc.nat(8 * whole.length - 1), async (bit) => {
      const bytes = Uint8Array.from(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      await check(bytes);
    }),
    { numRuns: 600, seed: 12 },
  );
  for (let length = 0; length < whole.length; length += 3) await check(whole.subarray(0, length));
  assert.ok(seen.refused > 500 && seen.read > 0, JSON.stringify(seen));
});

test('checkpoints are named by step, and the last three stay', async () => {
  const run = await newRun();
  await save(run, 1875, 3750, 5625);
  assert.deepEqual(checkpointsOf(run), [1875, 3750, 5625].map(nameOf));
  assert.equal(run.checkpointPath(1875), join(run.checkpointsPath, 'step-000001875.safetensors'));
  await save(run, 7500, 1_234_567_890);
  assert.deepEqual(checkpointsOf(run).sort(), [5625, 7500, 1_234_567_890].map(nameOf).sort());
  assert.equal((await run.latestCheckpoint())?.checkpoint.step, 1_234_567_890);
});

test('saving returns the hash of the parameters', async () => {
  const run = await newRun();
  const checkpoint = tinyCheckpoint(1);
  assert.equal(await run.saveCheckpoint(checkpoint), parameterHash(checkpoint.parameters));
});

test('the latest checkpoint is the newest that loads; the others are named', async () => {
  const run = await newRun();
  await save(run, 1, 2, 3);
  truncateSync(run.checkpointPath(3), 1000);
  writeFileSync(`${run.checkpointPath(4)}.1-0-1.tmp`, 'half');
  writeFileSync(join(run.checkpointsPath, 'step-9.safetensors'), 'not ours');
  renameSync(run.checkpointPath(2), run.checkpointPath(5));
  const found = await run.latestCheckpoint();
  assert.equal(found?.path, run.checkpointPath(1));
  assert.deepEqual(found?.checkpoint, tinyCheckpoint(1));
  assert.equal(found?.skipped.length, 2);
  const renamed = `${run.checkpointPath(5)}: the checkpoint is of step 2. Give the file its own name back.`;
  assert.equal(found?.skipped[0], renamed);
  assert.match(found!.skipped[1]!, /step-000000003\.safetensors: found the end of the file|header length/);
});

test('refused: checkpoints of which none loads', async () => {
  const run = await newRun();
  await save(run, 1, 2);
  for (const step of [1, 2]) truncateSync(run.checkpointPath(step), 3);
  const reason = (step: number) =>
    `${run.checkpointPath(step)}: found 3 bytes in all at byte 0, expected 8 bytes of header length. ` +
    'The file is damaged or not a safetensors file; use another one.';
  const message = `${run.path}: none of its checkpoints can be used.\n${reason(2)}\n${reason(1)}`;
  await assert.rejects(run.latestCheckpoint(), new UsageError(message));
});

test('damaged newer checkpoints do not push out the good ones', async () => {
  const run = await newRun();
  for (const step of [7, 8, 9]) writeFileSync(run.checkpointPath(step), 'damaged');
  await save(run, 1, 2, 3, 4);
  assert.deepEqual(checkpointsOf(run), [2, 3, 4, 7, 8, 9].map(nameOf));
  assert.equal((await run.latestCheckpoint())?.checkpoint.step, 4);
});

test('a save that fails removes nothing', async () => {
  const run = await newRun();
  await save(run, 1, 2, 3);
  mkdirSync(run.checkpointPath(4));
  await assert.rejects(run.saveCheckpoint(tinyCheckpoint(4)), UsageError);
  assert.deepEqual(checkpointsOf(run), [1, 2, 3, 4].map(nameOf));
});

test('temporary files are removed on request, and nothing else', async () => {
  const run = await newRun();
  await save(run, 1);
  writeFileSync(`${run.checkpointPath(2)}.1-0-1.tmp`, 'half');
  writeFileSync(`${run.configPath}.1-0-2.tmp`, 'half');
  await run.removeTemporaryFiles();
  assert.deepEqual(checkpointsOf(run), [nameOf(1)]);
  assert.deepEqual(readdirSync(run.path), ['checkpoints', 'config.json', 'pictures']);
});

test('metrics: a line each', async () => {
  const run = await newRun();
  run.appendMetrics({ step: 1, loss: 0.1 });
  run.appendMetrics({ step: 2, note: 'a\nb' });
  assert.equal(readFileSync(run.metricsPath, 'utf8'), '{"step":1,"loss":0.1}\n{"step":2,"note":"a\\nb"}\n');
});

test('metrics after a kill at any byte and a resume: as if never stopped', async () => {
  const run = await newRun();
  const line = (step: number) => ({ step, loss: step / 3 });
  const write = (from: number, to: number) => {
    for (let step = from; step <= to; step++) run.appendMetrics(line(step));
  };
  write(1, 9);
  const uninterrupted = readFileSync(run.metricsPath);
  // A kill loses no byte written before the checkpoint, whose step is the last of the bytes that count.
  const endOf = (step: number) => uninterrupted.indexOf(`{"step":${step + 1},`);
  const kills = fc.integer({ min: 1, max: 8 }).chain((checkpoint) =>
    fc.record({
      checkpoint: fc.constant(checkpoint),
      // From the line without its newline on: that may be cut off by a loss of power, and is complete.
      bytes: fc.integer({ min: endOf(checkpoint) - 1, max: uninterrupted.length }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(kills, async ({ checkpoint, bytes }) => {
      writeFileSync(run.metricsPath, uninterrupted.subarray(0, bytes));
      await run.truncateMetricsAfter(checkpoint);
      write(checkpoint + 1, 9);
      assert.deepEqual(readFileSync(run.metricsPath), uninterrupted);
    }),
  );
});

test('metrics reach the disk before the checkpoint that makes them final', async () => {
  const run = await newRun();
  run.appendMetrics({ step: 1 });
  const calls: string[] = [];
  const { open, rename } = fsPromises;
  mock.method(fsPromises, 'open', async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    mock.method(handle, 'sync', async () => calls.push(`sync ${basename(String(args[0]))}`));
    return handle;
  });
  mock.method(fsPromises, 'rename', async (...args: Parameters<typeof rename>) => {
    calls.push(`rename to ${basename(String(args[1]))}`);
    await rename(...args);
  });
  syncBuiltinESMExports();
  try {
    await save(run, 1);
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.ok(calls.includes('sync metrics.jsonl'));
  assert.ok(calls.indexOf('sync metrics.jsonl') < calls.indexOf(`rename to ${nameOf(1)}`));
});

test('metrics: nothing to truncate', async () => {
  const run = await newRun();
  await run.truncateMetricsAfter(5);
  assert.ok(!readdirSync(run.path).includes('metrics.jsonl'));
  run.appendMetrics({ step: 1 });
  await run.truncateMetricsAfter(0);
  assert.equal(readFileSync(run.metricsPath, 'utf8'), '');
});

test('metrics after a loss of power, with zeros wherever nothing had reached the disk: as if never stopped', async () => {
  const run = await newRun();
  const write = (from: number, to: number) => {
    for (let step = from; step <= to; step++) run.appendMetrics({ step, loss: step / 3 });
  };
  write(1, 9);
  const uninterrupted = readFileSync(run.metricsPath);
  const endOf = (step: number) => uninterrupted.indexOf(`{"step":${step + 1},`);
  const cuts = fc.integer({ min: 1, max: 8 }).chain((checkpoint) => {
    const unsynced = fc.integer({ min: endOf(checkpoint), max: uninterrupted.length });
    return fc.record({
      checkpoint: fc.constant(checkpoint),
      length: unsynced,
      zeros: fc.array(fc.tuple(unsynced, unsynced), { maxLength: 3 }),
    });
  });
  await fc.assert(
    fc.asyncProperty(cuts, async ({ checkpoint, length, zeros }) => {
      const bytes = Buffer.from(uninterrupted);
      for (const [a, b] of zeros) bytes.fill(0, Math.min(a, b), Math.max(a, b));
      writeFileSync(run.metricsPath, bytes.subarray(0, length));
      await run.truncateMetricsAfter(checkpoint);
      write(checkpoint + 1, 9);
      assert.deepEqual(readFileSync(run.metricsPath), uninterrupted);
    }),
  );
});

test('refused: zeros before a line that was on the disk with its checkpoint', async () => {
  const run = await newRun();
  writeFileSync(run.metricsPath, '{"step":1}\n{"st\0\0\n{"step":3}\n');
  await assert.rejects(
    run.truncateMetricsAfter(3),
    /metrics\.jsonl, line 2: found .+ Mend or remove the line\.$/,
  );
  await run.truncateMetricsAfter(2);
  assert.equal(readFileSync(run.metricsPath, 'utf8'), '{"step":1}\n');
});

test('refused: metrics with a line that is none', async () => {
  const run = await newRun();
  for (const line of ['{"step":', '', '[]', 'null', '{"loss":1}', '{"step":"1"}']) {
    writeFileSync(run.metricsPath, `{"step":1}\n${line}\n{"step":2}\n`);
    const message =
      `${run.metricsPath}, line 2: found ${JSON.stringify(line)}, expected a JSON object with a step. ` +
      'Mend or remove the line.';
    await assert.rejects(run.truncateMetricsAfter(1), new UsageError(message));
  }
});

/** Saves one checkpoint after the other, and says so, until it is killed. */
function startSaving(run: RunDirectory): ChildProcess {
  const script = `
    import { RunDirectory } from ${JSON.stringify(import.meta.resolve('#src/runs/runDirectory.js'))};
    import { tinyCheckpoint } from ${JSON.stringify(new URL('exampleRun.js', import.meta.url).href)};
    const run = new RunDirectory(process.argv[1]);
    for (let step = 1; ; step++) {
      await run.saveCheckpoint(tinyCheckpoint(step));
      console.log(step);
    }`;
  const args = ['--input-type=module', '--eval', script, run.path];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('a process killed at any moment of saving leaves its last checkpoint', async () => {
  for (const microseconds of [0, 200, 700, 1500]) {
    const run = await newRun();
    const child = startSaving(run);
    let reported = 0;
    for await (const line of createInterface({ input: child.stdout! })) {
      reported = Number(line);
      if (reported < 4) continue;
      const start = process.hrtime.bigint();
      while (process.hrtime.bigint() - start < microseconds * 1000);
      child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    const found = await run.latestCheckpoint();
    assert.deepEqual(found?.skipped, []);
    assert.ok(found!.checkpoint.step >= reported);
    assert.deepEqual(found!.checkpoint, tinyCheckpoint(found!.checkpoint.step));
  }
});
