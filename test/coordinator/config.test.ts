// A new run that starts from a config: of another run, or written by hand.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RunConfig, type TrainOptions, train, UsageError } from '#src/index.js';
import { smallData, smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

interface Setting {
  readonly directory: string;
  readonly options: TrainOptions;
}

const withData = (use: (setting: Setting) => Promise<void>) =>
  withTemporaryDirectory(async (directory) => {
    const data = await smallData(directory);
    await use({ directory, options: { data, pictures: false, workers: 1, maxSteps: 3 } });
  });

/** The notes that a run tells before it starts. */
async function trained(options: TrainOptions) {
  const notes: string[] = [];
  const result = await train({
    ...options,
    onEvent: (event) => {
      if (event.kind === 'note') notes.push(event.message);
    },
  });
  return { ...result, notes };
}

const readConfig = async (directory: string) =>
  JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')) as RunConfig;

/** Nothing here is a default, of the model or of the program. */
const unusual: TrainOptions = {
  ...{ latent: 3, binarize: 'static', seed: 2n ** 64n - 1n, batchSize: 10, shards: 4, samples: 3, epochs: 5 },
  ...{ objective: 'iwae', beta: 0.5, klWarmupEpochs: 0.5, likelihood: 'gaussian', sigma: 0.7 },
  ...{ optimizer: 'adamw', weightDecay: 0.2, learningRate: 0.003, arithmetic: 'portable' },
  ...{ learningRateSchedule: 'cosine', warmupEpochs: 0.25 },
};

for (const [title, chosen] of [
  ['the defaults', {}],
  ['nothing by default', unusual],
] as const) {
  test(`a run from the config.json of another run has its bits: ${title}`, async () => {
    await withData(async ({ directory, options }) => {
      const one = join(directory, 'one');
      const first = await trained({ ...options, model: smallModel, ...chosen, out: one });
      const path = join(one, 'config.json');
      const second = await trained({ ...options, config: path, out: join(directory, 'two'), workers: 2 });
      assert.equal(second.parametersSha256, first.parametersSha256);
      assert.deepEqual(second.notes, []);
      assert.equal(
        await readFile(join(directory, 'two', 'config.json'), 'utf8'),
        await readFile(path, 'utf8'),
      );
      const third = await trained({ ...options, config: first.config, out: join(directory, 'three') });
      assert.equal(third.parametersSha256, first.parametersSha256);
      const other = await trained({ ...options, config: path, seed: 7, out: join(directory, 'four') });
      assert.notEqual(other.parametersSha256, first.parametersSha256);
    });
  });
}

test('options stand above the config, which stands above the model and the defaults', async () => {
  await withData(async ({ directory, options }) => {
    const config = join(directory, 'by-hand.json');
    const model = { ...smallModel, training: { ...smallModel.training, epochs: 9, learningRate: 0.02 } };
    const byHand = { $schema: 'x', model, samples: 4, batchSize: 8, optimizer: 'adamw', weightDecay: 0.3 };
    await writeFile(config, JSON.stringify(byHand));
    const out = join(directory, 'run');
    await train({ ...options, config, out, batchSize: 12, optimizer: 'sgd', objective: 'iwae' });
    const read = await readConfig(out);
    const { epochs, learningRate, samples, batchSize, optimizer, momentum, objective, kl, shards } = read;
    assert.deepEqual(
      { epochs, learningRate, samples, batchSize, optimizer, momentum, objective, kl, shards },
      {
        ...{ epochs: 9, learningRate: 0.02, samples: 4, batchSize: 12, optimizer: 'sgd', momentum: 0 },
        ...{ objective: 'iwae', kl: 'monteCarlo', shards: 8 },
      },
    );
    assert.ok(!('weightDecay' in read) && !('adam' in read) && !('$schema' in read));

    const other = join(directory, 'other-model');
    await train({ ...options, config: read, model: 'mlp', out: other });
    const { model: mlp, ...rest } = await readConfig(other);
    const { model: _, ...numbers } = read;
    assert.equal(mlp.name, 'mlp');
    assert.deepEqual(rest, numbers);
  });
});

test("the config's estimate of the KL holds where the objective can have it", async () => {
  await withData(async ({ directory, options }) => {
    const config = { model: smallModel, kl: 'monteCarlo' } as const;
    const out = join(directory, 'run');
    await train({ ...options, config, out });
    assert.equal((await readConfig(out)).kl, 'monteCarlo');
    await assert.rejects(
      train({ ...options, config, objective: 'iwae', kl: 'analytic', out: join(directory, 'no') }),
      /^UsageError: The options of this run: kl is "analytic", but the objective iwae is computed from/,
    );
  });
});

test('a note says where the data or the backends of the config are not those of the new run', async () => {
  await withData(async ({ directory, options }) => {
    const { config } = await train({ ...options, model: smallModel, out: join(directory, 'one') });
    const path = join(directory, 'c.json');
    const data = { ...config.data, fingerprint: 'other' };
    await writeFile(
      path,
      JSON.stringify({ ...config, data, earlierBackends: [{ backend: 'cpu', untilStep: 2 }] }),
    );
    const out = join(directory, 'two');
    const { notes } = await trained({ ...options, config: path, out });
    assert.deepEqual(notes, [
      `The training images are those of data, and not those that ${path} names (data): the bits are ` +
        'not those of its run.',
      `The run of ${path} changed its backend. This one has simd throughout, so its bits differ.`,
    ]);
    assert.equal((await readConfig(out)).earlierBackends, undefined);
  });
});

/** What a file has, and what the message says behind the file's path. */
const broken: readonly [text: string, sentence: string][] = [
  ['{', ' is not JSON: '],
  ['[]', ': the document is an empty list, expected the config of a run: an object.'],
  ['{"epochs": 1, "epochs": 2}', ': the key "epochs" stands twice in one object, '],
  [
    '{"epoch": 1}',
    ': the document has an unknown key "epoch" (did you mean "epochs"?); keys are formatVersion, model, ',
  ],
  ['{"epochs": 0}', ': epochs is 0, expected a positive integer.'],
  ['{"seed": 5}', ': seed is 5, expected a string of decimal digits, from "0" to "18446744073709551615".'],
  ['{"model": {"name": "x"}}', ': model: latent is missing.'],
  [
    '{"formatVersion": 2}',
    ': formatVersion is 2, written by a newer lowerbound; this one reads 1. Update lowerbound.',
  ],
  [
    '{"momentum": 0.9}',
    ': momentum is a number of the optimizer sgd, but the optimizer of this run is adam: leave it out, or ask for the ' +
      'optimizer sgd.',
  ],
  ['{"objective": "iwae", "kl": "analytic"}', ': kl is "analytic", but the objective iwae is computed from '],
  ['{"adam": {"beta1": 0.9, "beta2": 0.9}}', ': adam.epsilon is missing.'],
  ['{"$schema": 1}', ': $schema is 1, expected a text.'],
];

test('refused: a config that is broken, with the file, the field and what is expected', async () => {
  await withData(async ({ directory, options }) => {
    const config = join(directory, 'c.json');
    for (const [text, sentence] of broken) {
      await writeFile(config, text);
      await assert.rejects(train({ ...options, config, out: join(directory, 'run') }), (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.ok(error.message.startsWith(config + sentence), error.message);
        return true;
      });
    }
  });
});

test('refused: no file, a directory, a large file, and a config beside a run', async () => {
  await withData(async ({ directory, options }) => {
    const refuses = (given: TrainOptions, message: string) =>
      assert.rejects(train({ ...options, ...given }), new UsageError(message));
    const nowhere = join(directory, 'nowhere.json');
    await refuses(
      { config: nowhere },
      `Cannot read the config file ${nowhere}: ENOENT: no such file or directory, stat '${nowhere}'.`,
    );
    await mkdir(join(directory, 'd'));
    await refuses(
      { config: join(directory, 'd') },
      `The config file ${join(directory, 'd')} is a directory, expected a file. Give the path of the file itself.`,
    );
    const large = join(directory, 'large.json');
    await writeFile(large, ' '.repeat(2 ** 20 + 1));
    await refuses(
      { config: large },
      `The config file ${large} is larger than 1048576 bytes; a config is a model and some twenty numbers.`,
    );
    await refuses(
      { config: { epochs: 3 }, resume: directory },
      'A resumed run keeps the config that it was started with: give either a run to resume or a config for a new one.',
    );
  });
});

test('refused: a config with other data than MNIST, where no data are given, and data of another shape', async () => {
  await withData(async ({ directory, options }) => {
    const data = { source: '/data/mine', fingerprint: 'f' };
    const { data: _, ...withoutData } = options;
    await assert.rejects(
      train({ ...withoutData, config: { data } }),
      new UsageError(
        'The config names the data of /data/mine, not MNIST: say by the option data (--data) what the new run is trained ' +
          'on, those or others.',
      ),
    );
    await assert.rejects(
      train({
        ...options,
        config: { model: { ...smallModel, input: [9, 9, 1] } },
        out: join(directory, 'run'),
      }),
      /^UsageError: Model "small" .*9, 9, 1.*8, 8, 1/,
    );
  });
});
