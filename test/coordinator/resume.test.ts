// What a run may be resumed from: its own checkpoints, with the config that they were made with.

import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModel, type TrainOptions, train, UsageError } from '#src/index.js';
import { damage } from '../runs/forgedCheckpoint.js';
import { withTemporaryRun } from './temporaryRun.js';

interface Setting {
  /** Has taken two steps, with a checkpoint after each. */
  readonly out: string;
  readonly options: TrainOptions;
  readonly resume: TrainOptions;
}

async function withRun(use: (setting: Setting) => Promise<void>): Promise<void> {
  await withTemporaryRun(async ({ out, options, resume }) => {
    await train({ ...options, out, maxSteps: 1 });
    await train({ ...resume, maxSteps: 2 });
    await use({ out, options, resume });
  });
}

const checkpointOf = (out: string, step: number) =>
  join(out, 'checkpoints', `step-00000000${step}.safetensors`);

async function editConfig(out: string, edit: (text: string) => string): Promise<void> {
  const path = join(out, 'config.json');
  const text = await readFile(path, 'utf8');
  const edited = edit(text);
  assert.notEqual(edited, text);
  await writeFile(path, edited);
}

const advice =
  'A run goes on from its own checkpoints, with the config that they were made with: put the one or the other back, or ' +
  'start a new run.';

/** config.json changed by hand after the run was stopped. */
const edits: readonly [name: string, from: RegExp, to: string, sentence: string][] = [
  [
    'learningRate',
    /"learningRate": 0.01,\n {2}"adam"/,
    '"learningRate": 0.02,\n  "adam"',
    'learningRate 0.01, but CONFIG has 0.02',
  ],
  ['seed', /"seed": "0"/, '"seed": "1"', 'seed "0", but CONFIG has "1"'],
  ['units', /"units": 64/, '"units": 32', 'model.decoder[0].units 64, but CONFIG has 32'],
  ['filters', /"filters": 4/, '"filters": 5', 'model.encoder[0].filters 4, but CONFIG has 5'],
  ['latent', /\n {2}"latent": 2/, '\n  "latent": 3', 'latent 2, but CONFIG has 3'],
  ['fewer epochs', /"epochs": 3,\n {2}"arith/, '"epochs": 2,\n  "arith', 'epochs 3, but CONFIG has 2'],
];

for (const [name, from, to, sentence] of edits) {
  test(`refused: a config.json in which ${name} has changed since the checkpoint`, async () => {
    await withRun(async ({ out, resume }) => {
      await editConfig(out, (text) =>
        name === 'units'
          ? // The reshape behind it has to fit, too.
            text.replace(from, to).replaceAll(/"shape": \[\s*4,\s*4,\s*4\s*\]/g, '"shape": [4, 4, 2]')
          : text.replace(from, to),
      );
      const before = await readdir(join(out, 'checkpoints'));
      await assert.rejects(
        train({ ...resume, maxSteps: 5 }),
        new UsageError(
          `${checkpointOf(out, 2)} was made with ${sentence.replace('CONFIG', join(out, 'config.json'))}. ${advice}`,
        ),
      );
      assert.deepEqual(await readdir(join(out, 'checkpoints')), before);
      // The checkpoint is good by itself, with its own config.
      const { warnings, step } = await loadModel(out);
      assert.equal(step, 2);
      assert.match(warnings.join('\n'), /^.+ was made with .+ Here the checkpoint's own config counts\.$/);
    });
  });
}

test("refused: the checkpoints of another run in the place of the run's own", async () => {
  await withRun(async ({ out, options, resume }) => {
    const other = `${out}-other`;
    await train({ ...options, out: other, seed: 7, maxSteps: 3 });
    await rm(join(out, 'checkpoints'), { recursive: true });
    await cp(join(other, 'checkpoints'), join(out, 'checkpoints'), { recursive: true });
    await assert.rejects(train(resume), (error) => {
      assert.ok(error instanceof UsageError);
      const config = join(out, 'config.json');
      assert.equal(
        error.message,
        `${checkpointOf(out, 3)} was made with seed "7", but ${config} has "0". ${advice}`,
      );
      return true;
    });
  });
});

test('taken: a config.json with more epochs than the checkpoint, as a kill right after --epochs leaves it', async () => {
  await withRun(async ({ out, options, resume }) => {
    await editConfig(out, (text) => text.replace(/"epochs": 3,\n {2}"arith/, '"epochs": 4,\n  "arith'));
    const resumed = await train(resume);
    assert.equal(resumed.step, 28);
    const straight = await train({ ...options, epochs: 4, out: `${out}-straight` });
    assert.equal(resumed.parametersSha256, straight.parametersSha256);
  });
});

test('a damaged newest checkpoint: the warnings name it and what is used in its place, here and in loadModel', async () => {
  await withRun(async ({ out, options, resume }) => {
    damage(checkpointOf(out, 2));
    const { step, warnings } = await loadModel(out);
    assert.equal(step, 1);
    assert.equal(warnings.length, 2);
    assert.match(
      warnings[0]!,
      /step-000000002\.safetensors: .+ The file is damaged or was changed; use another/,
    );
    assert.equal(
      warnings[1],
      `An older checkpoint is used in its place: ${checkpointOf(out, 1)}, of step 1.`,
    );
    const told: string[] = [];
    const resumed = await train({
      ...resume,
      onEvent: (event) => {
        if (event.kind === 'warning') told.push(event.message);
      },
    });
    assert.deepEqual(told, warnings);
    const straight = await train({ ...options, out: `${out}-straight` });
    assert.equal(resumed.parametersSha256, straight.parametersSha256);
    assert.deepEqual((await loadModel(out)).warnings, []);
  });
});
