// Images with channels, from a four-dimensional IDX file to pictures; and data without labels.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { testExamples } from '#src/coordinator/examples.js';
import { evaluate, loadDataset, loadModel, type RunEvent, type TrainOptions, train } from '#src/index.js';
import { idxBytes } from '../data/idxFiles.js';
import { draw } from '../reference/smallModels.js';
import { DecodedPicture } from '../report/decodedPicture.js';
import { smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const side = 8;

/** 40 training and 12 test images of side × side × channels without labels; red is the brightest channel. */
async function channelData(directory: string, channels: number): Promise<string> {
  const data = join(directory, `channels-${channels}`);
  await mkdir(data);
  for (const [name, count, seed] of [
    ['train', 40, 1],
    ['t10k', 12, 2],
  ] as const) {
    const pixels = Uint8Array.from(draw(count * side * side * channels, seed), (value, i) =>
      Math.floor((i % channels === 0 ? 255 : 60) * Math.min(1, Math.abs(value))),
    );
    await writeFile(join(data, `${name}-images-idx4-ubyte`), idxBytes([count, side, side, channels], pixels));
  }
  return data;
}

/** A quick run: both its result and the warnings. */
async function run(options: TrainOptions) {
  const warnings: string[] = [];
  const pictures: string[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.kind === 'warning') warnings.push(event.message);
    if (event.kind === 'picture') pictures.push(event.path);
  };
  const result = await train({ epochs: 1, ...options, onEvent });
  return { ...result, warnings, pictures };
}

test('colour images train, evaluate and reconstruct, with the same bits on 1 and 3 workers', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await channelData(directory, 3);
    for (const model of ['cvae', 'mlp', 'iwae', smallModel] as const) {
      const name = typeof model === 'string' ? model : model.name;
      const options = { data, model, binarize: 'none', latent: 2, pictures: false } as const;
      const one = await run({ ...options, workers: 1, out: join(directory, name) });
      assert.deepEqual(one.config.model.input, [side, side, 3]);
      assert.deepEqual(one.warnings, []);
      const three = await run({ ...options, workers: 3, out: join(directory, `${name}-3`) });
      assert.equal(three.parametersSha256, one.parametersSha256, name);

      const { model: loaded, config } = await loadModel(one.directory);
      assert.equal(loaded.sample({ count: 2 }).length, 2 * side * side * 3);
      const { test: images } = loadDataset(data);
      const x = testExamples(config, images, [...Array(12).keys()]);
      assert.deepEqual(
        x,
        Float32Array.from(images.pixels, (byte) => byte / 255),
      );
      const { elbo } = loaded.elbo(x, { samples: config.samples });
      const { test: measured } = await evaluate({ path: one.directory, data, workers: 2 });
      assert.ok(Math.abs(measured.elbo - elbo.reduce((sum, nats) => sum + nats, 0) / 12) < 1e-3);
    }
  });
});

test('pictures of colour images are in colour: reconstructions show the inputs as they are', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await channelData(directory, 3);
    const { pictures } = await run({
      ...{ data, model: smallModel, binarize: 'none', workers: 1 },
      out: join(directory, 'run'),
    });
    assert.deepEqual(
      pictures.map((picture) => basename(picture)),
      [
        'samples-epoch-0001.png',
        'reconstructions-epoch-0001.png',
        'manifold-epoch-0001.png',
        'curves.png',
        'latent.png',
      ],
    );
    const path = pictures.find((picture) => picture.includes('reconstructions'))!;
    const { packed } = await DecodedPicture.of(await readFile(path));
    const colors = new Set(packed);
    const { pixels } = loadDataset(data).test;
    // Every pixel of the first test image stands in the picture.
    for (let i = 0; i < side * side; i++) {
      const [red, green, blue] = pixels.subarray(3 * i, 3 * i + 3);
      assert.ok(colors.has((red! << 16) + (green! << 8) + blue!), `no ${red}, ${green}, ${blue}`);
    }
  });
});

test('images of two channels train without pictures, and say so', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await channelData(directory, 2);
    const { warnings, pictures, reason } = await run({ data, model: 'cvae', out: join(directory, 'run') });
    assert.equal(reason, 'done');
    assert.deepEqual(pictures, []);
    assert.deepEqual(warnings, [
      'The images have 2 channels. Pictures are drawn of 1 (grey) or 3 (red, green, blue), so this run draws none.',
    ]);
  });
});

test('a model made for other examples is refused with both shapes', async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = await channelData(directory, 3);
    for (const input of [
      [4, 4, 3],
      [8, 8, 1],
    ] as const) {
      await assert.rejects(
        train({ data, model: { ...smallModel, input }, out: join(directory, 'run') }),
        new RegExp(
          `^UsageError: Model "small" is made for examples of shape \\[${input.join(', ')}\\], but the data's are ` +
            '\\[8, 8, 3\\] \\(height, width, channels\\)\\. Use other data, or leave "input" out of the model\\.$',
        ),
      );
    }
  });
});

for (const [what, trainCount, testCount, size] of [
  ['images of one pixel', 5, 2, 1],
  ['fewer images than a batch', 3, 1, 8],
] as const) {
  test(`${what} train`, async () => {
    await withTemporaryDirectory(async (directory) => {
      for (const [name, count] of [
        ['train', trainCount],
        ['t10k', testCount],
      ] as const) {
        const pixels = Uint8Array.from({ length: count * size * size }, (_, i) => i * 60);
        await writeFile(join(directory, `${name}-images-idx3-ubyte`), idxBytes([count, size, size], pixels));
      }
      const { step, test: measured } = await run({
        ...{ data: directory, model: 'mlp', batchSize: 32, epochs: 2 },
        out: join(directory, 'run'),
      });
      assert.equal(step, 2);
      assert.ok(Number.isFinite(measured?.elbo));
    });
  });
}
