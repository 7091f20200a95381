// What a run does with a directory that is not its own alone: another run in it, links, damaged files.

import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModel, train, UsageError } from '#src/index.js';
import { metricsOf, rejection, withTemporaryRun } from './temporaryRun.js';

test('two that resume a run at once: one goes on, the other is refused, and no line stands twice', async () => {
  await withTemporaryRun(async ({ out, options, resume }) => {
    await train({ ...options, out, maxSteps: 5, logEvery: 1 });
    const both = await Promise.allSettled(
      [1, 2].map((workers) => train({ ...resume, workers, logEvery: 1 })),
    );
    const refused = both.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown);
    assert.equal(refused.length, 1);
    assert.ok(refused[0] instanceof UsageError);
    assert.match(refused[0].message, new RegExp(`^${out} is in use: process ${process.pid} of the machine `));
    const steps = (await metricsOf(out, 'batch')).map(({ step }) => step);
    assert.deepEqual(
      steps,
      Array.from({ length: 21 }, (_, i) => i + 1),
    );
    assert.ok(!readdirSync(out).includes('lock'));
  });
});

test('two new runs in one directory at once: one is refused', async () => {
  await withTemporaryRun(async ({ out, options }) => {
    const both = await Promise.allSettled([1, 2].map(() => train({ ...options, out, maxSteps: 2 })));
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.deepEqual(readdirSync(out).sort(), ['checkpoints', 'config.json', 'pictures']);
  });
});

test('a run that fails, or is refused, leaves no lock; what only reads needs none', async () => {
  await withTemporaryRun(async ({ out, options, resume }) => {
    const onEvent = ({ kind }: { kind: string }) => {
      if (kind !== 'checkpoint') return;
      assert.ok(readdirSync(out).includes('lock'));
      throw new Error('enough');
    };
    await rejection(train({ ...options, out, onEvent }));
    assert.ok(!readdirSync(out).includes('lock'));
    await rejection(train({ ...resume, learningRate: 5 }));
    assert.ok(!readdirSync(out).includes('lock'));
    writeFileSync(join(out, 'lock'), 'of whomever');
    assert.equal((await loadModel(out)).step, 7);
    assert.match((await rejection(train(resume))).message, / is locked by a file that names no process: /);
  });
});

test('a link in the place of metrics.jsonl is not followed', async () => {
  await withTemporaryRun(async ({ out, options, resume }) => {
    await train({ ...options, out, maxSteps: 2, logEvery: 1 });
    const victim = `${out}-victim`;
    renameSync(join(out, 'metrics.jsonl'), victim);
    const before = readFileSync(victim, 'utf8');
    symlinkSync(victim, join(out, 'metrics.jsonl'));
    const error = await rejection(train({ ...resume, logEvery: 1 }));
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /metrics\.jsonl is a symbolic link\. .*: remove the link\./);
    assert.equal(readFileSync(victim, 'utf8'), before);
  });
});

for (const name of ['checkpoints', 'pictures']) {
  test(`a link in the place of ${name} is refused`, async () => {
    await withTemporaryRun(async ({ out, options, resume }) => {
      await train({ ...options, out, maxSteps: 2 });
      const victim = `${out}-victim`;
      renameSync(join(out, name), victim);
      const before = readdirSync(victim);
      symlinkSync(victim, join(out, name));
      const error = await rejection(train(resume));
      assert.ok(error instanceof UsageError);
      assert.equal(
        error.message,
        `${join(out, name)} is a symbolic link. A run does not write through links in its directory: put a directory ` +
          'in its place.',
      );
      assert.deepEqual(readdirSync(victim), before);
    });
  });
}

test('a link in the place of a checkpoint is replaced, and what it names stays', async () => {
  await withTemporaryRun(async ({ out, options }) => {
    const victim = `${out}-victim`;
    writeFileSync(victim, 'mine');
    let once = true;
    const onEvent = ({ kind }: { kind: string }) => {
      if (kind !== 'started' || !once) return;
      once = false;
      symlinkSync(victim, join(out, 'checkpoints', 'step-000000002.safetensors'));
    };
    await train({ ...options, out, maxSteps: 2, onEvent });
    assert.equal(readFileSync(victim, 'utf8'), 'mine');
    assert.equal((await loadModel(out)).step, 2);
  });
});

for (const [name, damage] of [
  ['an empty file', (path: string) => writeFileSync(path, '')],
  ['zeros', (path: string) => writeFileSync(path, Buffer.alloc(readFileSync(path).length))],
  [
    'a directory',
    (path: string) => {
      rmSync(path);
      mkdirSync(path);
    },
  ],
  [
    'a link to nothing',
    (path: string) => {
      rmSync(path);
      symlinkSync('nowhere', path);
    },
  ],
] as const) {
  test(`the newest checkpoint is ${name}: it is named, and the one before goes on`, async () => {
    await withTemporaryRun(async ({ out, options, resume }) => {
      await train({ ...options, out, checkpointEvery: 2, maxSteps: 4 });
      const newest = join(out, 'checkpoints', 'step-000000004.safetensors');
      damage(newest);
      const warnings: string[] = [];
      const resumed = await train({
        ...resume,
        onEvent: (event) => {
          if (event.kind === 'warning') warnings.push(event.message);
        },
      });
      assert.equal(warnings.length, 2);
      assert.ok(warnings[0]!.startsWith(newest), warnings[0]);
      assert.match(warnings[1]!, /^An older checkpoint is used in its place: .+, of step 2\.$/);
      const straight = await train({ ...options, out: `${out}-straight` });
      assert.equal(resumed.parametersSha256, straight.parametersSha256);
    });
  });
}

for (const [name, text, sentence] of [
  ['empty', '', /config\.json is not JSON: /],
  ['cut off', '{\n  "formatVersion": 1,\n  "mod', /config\.json is not JSON: /],
  ['zeros', '\0'.repeat(500), /config\.json is not JSON: /],
] as const) {
  test(`config.json is ${name}: a sentence that names it, and nothing else is touched`, async () => {
    await withTemporaryRun(async ({ out, options, resume }) => {
      await train({ ...options, out, maxSteps: 2 });
      writeFileSync(join(out, 'config.json'), text);
      const error = await rejection(train(resume));
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, sentence);
      assert.deepEqual(readdirSync(join(out, 'checkpoints')), ['step-000000002.safetensors']);
    });
  });
}
