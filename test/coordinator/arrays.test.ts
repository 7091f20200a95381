// Runs on images that the caller has in memory, and on data without a test set.
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  evaluate,
  type ImageArrays,
  type RunEvent,
  type TrainOptions,
  train,
  UsageError,
} from '#src/index.js';
import { idxBytes } from '../data/idxFiles.js';
import { draw } from '../reference/smallModels.js';
import { DecodedPicture } from '../report/decodedPicture.js';
import { smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const side = 8;
const channels = 3;

function pixels(count: number, seed: number): Uint8Array {
  return Uint8Array.from(draw(count * side * side * channels, seed), (value) =>
    Math.floor(255 * Math.min(1, Math.abs(value))),
  );
}

/** 40 training and 12 test images in colour. */
const colours: ImageArrays = {
  images: pixels(40, 1),
  testImages: pixels(12, 2),
  height: side,
  width: side,
  channels,
  name: 'colours',
};

const options = { model: smallModel, binarize: 'none', epochs: 2, pictures: false } as const;

/** The same images in a directory; the test set only where asked for. */
async function colourFiles(directory: string, withTest: boolean): Promise<string> {
  const data = join(directory, withTest ? 'files' : 'alone');
  await mkdir(data);
  await writeFile(
    join(data, 'train-images-idx4-ubyte'),
    idxBytes([40, side, side, channels], colours.images),
  );
  const test = idxBytes([12, side, side, channels], colours.testImages!);
  if (withTest) await writeFile(join(data, 't10k-images-idx4-ubyte'), test);
  return data;
}

function refusal(message: string) {
  return (error: unknown): true => {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(error.message, message);
    return true;
  };
}

test('colour arrays have the bits of the same images in files, on 1 and 3 workers', async () => {
  await withTemporaryDirectory(async (directory) => {
    const files = await colourFiles(directory, true);
    const run = (name: string, workers: number, data: TrainOptions['data']) =>
      train({ ...options, ...(data === undefined ? {} : { data }), workers, out: join(directory, name) });
    const one = await run('one', 1, colours);
    const three = await run('three', 3, colours);
    const fromFiles = await run('from-files', 2, files);
    assert.equal(three.parametersSha256, one.parametersSha256);
    assert.equal(fromFiles.parametersSha256, one.parametersSha256);
    assert.deepEqual(three.test, one.test);
    assert.deepEqual(one.config.model.input, [side, side, channels]);
    assert.equal(one.config.data.source, 'colours');
    assert.equal(one.config.data.fingerprint, fromFiles.config.data.fingerprint);

    const evaluation = await evaluate({ path: one.directory, data: colours, workers: 2 });
    assert.deepEqual(evaluation.test, one.test);
    assert.equal(evaluation.protocol.data, 'colours');
    assert.equal(evaluation.protocol.examples, 12);
  });
});

test('a run from arrays is resumed by giving them, or the same images in files, again', async () => {
  await withTemporaryDirectory(async (directory) => {
    const whole = await train({ ...options, data: colours, out: join(directory, 'whole') });
    const again = { ...colours, images: colours.images.slice(), name: 'another name' };
    for (const [name, data] of [
      ['arrays', again],
      ['files', await colourFiles(directory, true)],
    ] as const) {
      const out = join(directory, `run-${name}`);
      await train({ ...options, data: colours, out, maxSteps: 2 });
      const resumed = await train({ data, resume: out, pictures: false });
      assert.equal(resumed.parametersSha256, whole.parametersSha256, name);
    }
    const resume = whole.directory;
    const advice =
      'was started with the data of colours, not with MNIST: name them again by the option data (--data).';
    await assert.rejects(train({ resume, epochs: 3 }), refusal(`${resume} ${advice}`));
    const changed = colours.images.slice();
    changed[0]! ^= 1;
    await assert.rejects(
      train({ data: { ...colours, images: changed }, resume, epochs: 3 }),
      /^UsageError: .+ was started with data\.fingerprint "\w+", but "\w+" is asked for now/,
    );
  });
});

test('a model trained on arrays of the shape of MNIST is not measured by MNIST for want of data', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = { images: new Uint8Array(20 * 28 * 28).fill(9), height: 28, width: 28 };
    const { directory: path } = await train({
      ...{ data, model: 'mlp', epochs: 1, pictures: false, workers: 1 },
      out: join(directory, 'run'),
    });
    await assert.rejects(evaluate({ path }), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(
        error.message,
        / was started with the data of arrays, not with MNIST: name them again by /,
      );
      return true;
    });
  });
});

test('pictures of colour arrays are in colour', async () => {
  await withTemporaryDirectory(async (directory) => {
    const out = join(directory, 'run');
    await train({ ...options, data: colours, epochs: 1, pictures: true, out });
    const pictures = join(out, 'pictures');
    const name = (await readdir(pictures)).find((picture) => picture.startsWith('reconstructions'))!;
    const { packed } = await DecodedPicture.of(await readFile(join(pictures, name)));
    const colors = new Set(packed);
    for (let i = 0; i < side * side; i++) {
      const [red, green, blue] = colours.testImages!.subarray(3 * i, 3 * i + 3);
      assert.ok(colors.has((red! << 16) + (green! << 8) + blue!), `no ${red}, ${green}, ${blue}`);
    }
  });
});

test('without a test set the last tenth is kept for it, the run says so, and the protocol of evaluate', async () => {
  await withTemporaryDirectory(async (directory) => {
    const { testImages: _, ...untested } = colours;
    const files = await colourFiles(directory, false);
    const hashes = new Set<string>();
    for (const [name, data] of [
      ['colours', untested],
      ['alone', files],
    ] as const) {
      const events: RunEvent[] = [];
      const out = join(directory, `run-${name}`);
      const result = await train({ ...options, data, out, onEvent: (event) => events.push(event) });
      const [first, started] = events;
      assert.deepEqual(first, {
        kind: 'note',
        message: `The data of ${name} have no test set: the last 4 images are kept for it and not trained on, which leaves 36.`,
      });
      assert.ok(started?.kind === 'started' && started.trainCount === 36 && started.testCount === 4);
      hashes.add(result.parametersSha256);
      const { protocol, test: measured } = await evaluate({ path: out, data });
      assert.deepEqual([protocol.data, protocol.examples], [`${name}, its last 4 images`, 4]);
      assert.deepEqual(measured, result.test);
    }
    assert.equal(hashes.size, 1);
  });
});
