// Runs whose processes hold the training images of their own shards alone: which these are, and the bits.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RunState } from '#src/coordinator/runState.js';
import { requestedConfig, settingsOf } from '#src/coordinator/trainOptions.js';
import { loadDataset, loadRunData } from '#src/data/registry.js';
import type { RunData } from '#src/data/source.js';
import { UsageError } from '#src/errors.js';
import { train } from '#src/index.js';
import { choosePlatform } from '#src/kernels/platform.js';
import { modelOfConfig } from '#src/runs/configModel.js';
import { ownPlaces } from '#src/worker/ownExamples.js';
import { smallData, smallModel, trainCount } from './smallRun.js';
import { withTemporaryDirectory, withTemporaryRun } from './temporaryRun.js';

/** The state of one of several processes. */
async function stateOf(data: RunData, processes: number, process: number): Promise<RunState> {
  const config = await requestedConfig({ model: smallModel }, data, undefined);
  const platform = choosePlatform({ arithmetic: config.arithmetic });
  const settings = settingsOf(config, data, platform);
  return new RunState(modelOfConfig(config), settings, platform, data, 1, { processes, process }, true);
}

/** That each of the process's places in the epoch's order leads to its image, and that it holds no other. */
function assertHeld({ layout, memory, order, settings }: RunState, pixels: Uint8Array): void {
  const size = pixels.length / trainCount;
  const region = layout.regions.find(({ name }) => name === 'own training images')!;
  const places = new Uint32Array(memory.buffer, layout.trainPlaces, trainCount);
  const held = new Uint8Array(memory.buffer, layout.trainPixels, region.bytes);
  let count = 0;
  for (const { first, end } of ownPlaces(settings, layout.place)) {
    for (let place = first; place < end; place++, count++) {
      const image = order[place]!;
      const own = held.subarray(places[place]! * size, (places[place]! + 1) * size);
      assert.deepEqual(own, pixels.subarray(image * size, (image + 1) * size));
    }
  }
  assert.equal(region.bytes, count * size);
}

test('a process holds the images of its own shards, and finds each by its place in the order', async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = await smallData(directory);
    const { pixels } = loadDataset(path).train;
    for (const [processes, process] of [
      [1, 0],
      [2, 1],
      [3, 0],
      [3, 2],
    ] as const) {
      const state = await stateOf(loadRunData(path, true), processes, process);
      // Twice the same epoch: what it reads does not depend on what was there.
      for (const epoch of [0, 3, 0]) {
        state.shuffle(epoch);
        assertHeld(state, pixels);
      }
    }
  });
});

test('in the middle of an epoch a process takes over the images of another place', async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = await smallData(directory);
    const { pixels } = loadDataset(path).train;
    const state = await stateOf(loadRunData(path, true), 4, 3);
    state.shuffle(2);
    const order = state.order.slice();
    for (const [processes, process] of [
      [3, 2],
      [2, 0],
      [1, 0],
    ] as const) {
      state.moveTo({ processes, process });
      assert.deepEqual(state.order, order);
      assertHeld(state, pixels);
    }
  });
});

for (const binarize of ['dynamic', 'static', 'threshold', 'none'] as const) {
  test(`${binarize}: the bits are those of a run that holds all images`, async () => {
    await withTemporaryDirectory(async (directory) => {
      const data = await smallData(directory);
      const options = { data, binarize, model: smallModel, epochs: 2, pictures: false, workers: 1 };
      const run = async (shardData: boolean) => {
        const out = join(directory, String(shardData));
        const { parametersSha256, test, config } = await train({ ...options, shardData, out });
        return { parametersSha256, test, config };
      };
      assert.deepEqual(await run(true), await run(false));
    });
  });
}

test('images in memory are sharded, too, and pictures are the same', async () => {
  await withTemporaryDirectory(async (directory) => {
    const { train: images, test: tests } = loadDataset(await smallData(directory));
    const { height, width, pixels } = images;
    const data = { images: pixels, height, width, testImages: tests.pixels };
    const results = [];
    for (const shardData of [true, false]) {
      const out = join(directory, `arrays-${shardData}`);
      const { parametersSha256 } = await train({ data, model: smallModel, epochs: 1, shardData, out });
      const names = readdirSync(join(out, 'pictures')).sort();
      assert.ok(names.length > 1, names.join());
      results.push([
        parametersSha256,
        names.map((name) => [name, readFileSync(join(out, 'pictures', name))]),
      ]);
    }
    assert.deepEqual(results[0], results[1]);
  });
});

test('a run resumes with the flag and without it', async () => {
  await withTemporaryRun(async ({ out, options, resume }) => {
    const whole = await train({ ...options, out: `${out}-whole`, maxSteps: 12 });
    await train({ ...options, out, maxSteps: 4, shardData: true });
    await train({ ...resume, maxSteps: 9 });
    const { parametersSha256 } = await train({ ...resume, maxSteps: 12, shardData: true });
    assert.equal(parametersSha256, whole.parametersSha256);
  });
});

test('where the memory is too small, more processes are the advice', async () => {
  await withTemporaryRun(async ({ options, out }) => {
    await assert.rejects(train({ ...options, out, samples: 40_000_000, shardData: true }), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(
        error.message,
        /needs more than 4 GiB .* More processes hold fewer training images each\.$/,
      );
      return true;
    });
  });
});
