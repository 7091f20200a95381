import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { type CompareEstimatorsOptions, compareEstimators, train } from '#src/index.js';
import { denseModel, smallData } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

async function withRun<T>(use: (run: { path: string; data: string }) => Promise<T>): Promise<T> {
  return withTemporaryDirectory(async (directory) => {
    const [path, data] = [join(directory, 'run'), await smallData(directory)];
    const training = { pictures: false, maxSteps: 2, batchSize: 16, samples: 2, beta: 0.5, seed: 5 } as const;
    await train({ ...training, model: denseModel, workers: 1, out: path, data });
    return use({ path, data });
  });
}

test("the figures are by the run's own objective, the same for any number of workers", async () => {
  await withRun(async (run) => {
    const seen: number[] = [];
    const onProgress = (done: number, count: number) => {
      assert.equal(count, 30);
      seen.push(done);
    };
    const one = await compareEstimators({ ...run, draws: 30, workers: 1, onProgress });
    assert.deepEqual(await compareEstimators({ ...run, draws: 30, workers: 3 }), one);
    const { protocol, figures, interrupted, warnings, step } = one;
    const { data: _, ...rest } = protocol;
    assert.deepEqual(rest, {
      examples: { first: 0, end: 20 },
      binarize: 'threshold',
      likelihood: { name: 'bernoulli' },
      ...{ objective: 'elbo', samples: 2, beta: 0.5, draws: 30, seed: '5' },
    });
    assert.deepEqual({ interrupted, warnings, step }, { interrupted: false, warnings: [], step: 2 });
    assert.equal(figures.length, 6);
    for (const { variance } of figures) assert.ok(variance.value > 0);
    assert.equal(seen.at(-1), 30);
    const other = {
      draws: 30,
      examples: { first: 3, end: 5 },
      objective: 'iwae',
      samples: 3,
      beta: 1,
      seed: 6,
    };
    const asked = await compareEstimators({ ...run, ...other } as CompareEstimatorsOptions);
    const { examples, objective, samples, beta, seed } = asked.protocol;
    assert.deepEqual(
      { draws: asked.protocol.draws, examples, objective, samples, beta, seed },
      { ...other, seed: '6' },
    );
    assert.equal(asked.figures.length, 5);
  });
});

test('after an abort there are the figures of the draws that are done, or none', async () => {
  await withRun(async (run) => {
    const aborted = await compareEstimators({ ...run, draws: 40, workers: 1, signal: AbortSignal.abort() });
    assert.deepEqual([aborted.figures, aborted.protocol.draws, aborted.interrupted], [[], 0, true]);
    const controller = new AbortController();
    const onProgress = (done: number) => {
      if (done >= 12) controller.abort();
    };
    const part = { draws: 40, workers: 1, signal: controller.signal, onProgress };
    const stopped = await compareEstimators({ ...run, ...part });
    assert.ok(stopped.interrupted);
    assert.ok(stopped.protocol.draws >= 12 && stopped.protocol.draws < 40);
    assert.equal(stopped.figures.length, 6);
  });
});

test('refused: what is missing or wrong', async () => {
  const call = 'compareEstimators()';
  const path = "the path of a run's directory or of a checkpoint file";
  await assert.rejects(
    compareEstimators({} as CompareEstimatorsOptions),
    new UsageError(`${call}: path is missing, expected ${path}.`),
  );
  await withRun(async (run) => {
    const refused: readonly (readonly [object, string])[] = [
      [{ draws: 2 }, `${call}: draws is 2, expected a whole number from 3 up.`],
      [{ drws: 5 }, `${call}: there is no option "drws"; did you mean "draws"? `],
      [
        { examples: { first: 2, end: 2 } },
        `${call}: examples is not { first, end }, whole numbers from 0 up, first below end.`,
      ],
      [
        { examples: { first: 0, end: 31 } },
        'There are no test examples 0:31: the test set has 30, which are 0:30.',
      ],
      [{ objective: 'vr' }, `${call}: objective is "vr", expected "elbo" or "iwae".`],
      [{ beta: -1 }, `${call}: beta is -1, expected a number from 0 up.`],
    ];
    for (const [options, message] of refused) {
      await assert.rejects(compareEstimators({ ...run, ...options }), (error) => {
        assert.ok(error instanceof UsageError);
        assert.ok(error.message.startsWith(message), error.message);
        return true;
      });
    }
    const { data: _, ...withoutData } = run;
    await assert.rejects(compareEstimators(withoutData), {
      name: 'UsageError',
      message:
        /was trained on images of 8×8, but those of mnist are 28×28\. Name data of the same shape with --data\.$/,
    });
  });
});
