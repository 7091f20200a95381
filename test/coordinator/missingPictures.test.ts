// A kill between an epoch's line of metrics.jsonl and its last picture: what is missing is drawn by --resume.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { train } from '#src/index.js';
import { metricsOf, rejection, withTemporaryRun } from './temporaryRun.js';

/** Every picture of a run with its bytes. */
const picturesOf = (out: string) =>
  readdirSync(join(out, 'pictures'))
    .sort()
    .map((name) => [name, readFileSync(join(out, 'pictures', name)).toString('base64')]);

for (const after of [1]) {
  test(`after ${after} of five pictures of the second epoch: resumed, the run has all of them, byte for byte`, async (context) => {
    await withTemporaryRun(async ({ out, options, resume }) => {
      const drawn = { ...options, pictures: true, epochs: 2 };
      await train({ ...drawn, out: `${out}-whole` });
      const { rename } = fsPromises;
      let left = 5 + after;
      context.mock.method(fsPromises, 'rename', async (...args: Parameters<typeof rename>) => {
        if (String(args[1]).endsWith('.png') && left-- <= 0) {
          throw Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO', syscall: 'rename' });
        }
        await rename(...args);
      });
      syncBuiltinESMExports();
      await rejection(train({ ...drawn, out }));
      context.mock.restoreAll();
      syncBuiltinESMExports();
      assert.equal((await metricsOf(out, 'epoch')).length, 2);
      assert.notDeepEqual(picturesOf(out), picturesOf(`${out}-whole`));
      const told: string[] = [];
      await train({
        ...resume,
        pictures: true,
        onEvent: (event) => {
          if (event.kind === 'picture') told.push(event.path);
        },
      });
      assert.equal(told.length, 5);
      assert.deepEqual(picturesOf(out), picturesOf(`${out}-whole`));
      // Nothing is missing any more: nothing is drawn again.
      await train({
        ...resume,
        pictures: true,
        onEvent: ({ kind }) => assert.notEqual(kind, 'picture'),
      });
    });
  });
}

test('--no-pictures draws none on resume', async () => {
  await withTemporaryRun(async ({ out, options, resume }) => {
    await train({ ...options, out, epochs: 1 });
    await train(resume);
    assert.deepEqual(picturesOf(out), []);
  });
});
