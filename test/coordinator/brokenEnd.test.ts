// Whatever goes wrong beside the ranks, train() rejects: with its cause, after the ranks have stopped, with a
// checkpoint where one can be written, and without a timer that lives on.

import assert from 'node:assert/strict';
import fs, { existsSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { evaluate, loadModel, type RunEvent, type TrainOptions, train, UsageError } from '#src/index.js';
import { rejection, withTemporaryRun } from './temporaryRun.js';

/** The number of epochs of runs that would last for minutes. */
const EPOCHS = 20_000;

interface Setting {
  readonly out: string;
  readonly options: TrainOptions;
}

async function withRun(use: (setting: Setting) => Promise<void>): Promise<void> {
  await withTemporaryRun(async ({ out, options }) => {
    await use({ out, options: { ...options, out, epochs: EPOCHS, logEvery: 1 } });
    await turn();
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout'),
      [],
      'a timer lives on',
    );
  });
}

/** From now on the file at `path` is as on a full disk: it can be opened, and nothing can be written. */
function fillDisk(context: TestContext, path: string): void {
  const { openSync, writeFileSync } = fs;
  const descriptors = new Set<number>();
  context.mock.method(fs, 'openSync', (...args: Parameters<typeof openSync>) => {
    const descriptor = openSync(...args);
    descriptors.delete(descriptor);
    if (args[0] === path) descriptors.add(descriptor);
    return descriptor;
  });
  context.mock.method(fs, 'writeFileSync', (...args: Parameters<typeof writeFileSync>) => {
    if (!descriptors.has(args[0] as number)) return writeFileSync(...args);
    const [code, syscall] = ['ENOSPC', 'write'];
    throw Object.assign(new Error(`${code}: no space left on device, ${syscall}`), { code, syscall });
  });
  syncBuiltinESMExports();
}

function emptyDisk(context: TestContext): void {
  context.mock.restoreAll();
  syncBuiltinESMExports();
}

const boom = new TypeError('boom');

function throwAt(kind: RunEvent['kind']): (event: RunEvent) => void {
  return (event) => {
    if (event.kind === kind) throw boom;
  };
}

test('onEvent throws while the ranks train: the run stops with a checkpoint that goes on to the same bits', async () => {
  await withRun(async ({ out, options }) => {
    const error = await rejection(train({ ...options, onEvent: throwAt('progress') }));
    const [, step, path] =
      /^onEvent threw at the event "progress": boom\. The run stopped after step (\d+), with a checkpoint: (.+)\.$/.exec(
        error.message,
      ) ?? assert.fail(error.message);
    assert.equal(error.cause, boom);
    const { path: found, step: saved } = await loadModel(out);
    assert.deepEqual([found, saved], [path, Number(step)]);
    const { data } = options;
    const resumed = await train({
      data: data!,
      resume: out,
      pictures: false,
      maxSteps: saved + 3,
      logEvery: 1,
    });
    const whole = `${out}-whole`;
    const straight = await train({ ...options, out: whole, maxSteps: saved + 3 });
    assert.equal(resumed.parametersSha256, straight.parametersSha256);
    // No line was lost: only what is told failed.
    const batches = async (run: string) =>
      (await readFile(join(run, 'metrics.jsonl'), 'utf8'))
        .split('\n')
        .filter((line) => line.includes('"batch"'));
    assert.deepEqual(await batches(out), await batches(whole));
  });
});

for (const kind of ['started', 'checkpoint', 'evaluating', 'epoch'] as const) {
  test(`onEvent throws at ${kind}: the run rejects with that as its cause`, async () => {
    await withRun(async ({ out, options }) => {
      const error = await rejection(train({ ...options, onEvent: throwAt(kind) }));
      assert.equal(error.message, `onEvent threw at the event "${kind}": boom.`);
      assert.equal(error.cause, boom);
      assert.equal(existsSync(join(out, 'checkpoints', 'step-000000007.safetensors')), kind !== 'started');
    });
  });
}

for (const kind of ['picture', 'finished'] as const) {
  test(`onEvent throws at ${kind}: the run rejects with that as its cause`, async () => {
    await withRun(async ({ options }) => {
      const running = train({ ...options, epochs: 1, pictures: true, onEvent: throwAt(kind) });
      assert.equal((await rejection(running)).cause, boom);
    });
  });
}

for (const kind of ['progress', 'epoch', 'finished'] as const) {
  test(`an asynchronous onEvent rejects at ${kind}: so does the run`, async () => {
    await withRun(async ({ options }) => {
      const onEvent = async (event: RunEvent) => throwAt(kind)(event);
      const epochs = kind === 'finished' ? 1 : EPOCHS;
      const error = await rejection(train({ ...options, epochs, onEvent }));
      assert.match(error.message, new RegExp(`^onEvent threw at the event "${kind}": boom\\.`));
      assert.equal(error.cause, boom);
    });
  });
}

test('metrics.jsonl cannot be written: the run stops with a checkpoint, and says which lines are lost', async (context) => {
  await withRun(async ({ out, options }) => {
    await train({ ...options, maxSteps: 1 });
    const metrics = join(out, 'metrics.jsonl');
    rmSync(metrics);
    const { data } = options;
    const resume = { data: data!, resume: out, pictures: false, logEvery: 1 };
    let once = true;
    const onEvent = ({ kind }: RunEvent) => {
      if (kind !== 'started' || !once) return;
      once = false;
      // No room for the file from now on.
      fillDisk(context, metrics);
    };
    const error = await rejection(train({ ...resume, onEvent }));
    assert.ok(error instanceof UsageError);
    const [, lost, step] =
      /metrics\.jsonl cannot be written: ENOSPC: .+\. Make room or choose another directory\. The run stopped after step (\d+), with a checkpoint: .+\. Its lines of metrics\.jsonl from step (\d+) on are lost\.$/.exec(
        error.message,
      ) ?? assert.fail(error.message);
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOSPC');
    emptyDisk(context);
    assert.ok(Number(step) >= 2 && Number(lost) >= Number(step));
    const { step: saved } = await loadModel(out);
    assert.equal(saved, Number(lost));
    const resumed = await train({ ...resume, maxSteps: saved + 3 });
    const straight = await train({ ...options, out: `${out}-whole`, maxSteps: saved + 3 });
    assert.equal(resumed.parametersSha256, straight.parametersSha256);
  });
});

test('the run directory is deleted while the run goes on: the run rejects, and says that it is gone', async () => {
  await withRun(async ({ out, options }) => {
    let once = true;
    const onEvent = ({ kind }: RunEvent) => {
      if (kind !== 'progress' || !once) return;
      once = false;
      rmSync(out, { recursive: true });
    };
    const error = await rejection(train({ ...options, onEvent }));
    assert.ok(error instanceof UsageError);
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOENT');
    assert.match(
      error.message,
      /^.+ cannot be written: ENOENT: .+ Its directory does not exist, or was removed or renamed\./,
    );
    assert.ok(!existsSync(out));
  });
});

test('a signal that is none leaves no timer', async () => {
  await withRun(async ({ options }) => {
    await rejection(train({ ...options, signal: 5 as unknown as AbortSignal }));
  });
});

test('onProgress throws during an evaluation: evaluate() rejects with it', async () => {
  await withRun(async ({ out, options }) => {
    const { data } = options;
    await train({ ...options, maxSteps: 1 });
    const onProgress = () => {
      throw boom;
    };
    assert.equal(
      await rejection(evaluate({ path: out, data: data!, samples: 20_000, workers: 1, onProgress })),
      boom,
    );
  });
});
