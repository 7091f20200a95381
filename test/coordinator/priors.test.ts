// A run with a learned prior from beginning to end: what is written, evaluated, drawn and refused.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { compareEstimators, estimateLikelihood, evaluate, loadModel, train, verify } from '#src/index.js';
import { readSafetensors } from '#src/runs/safetensors.js';
import { smallData, smallModel } from './smallRun.js';
import { withTemporaryDirectory } from './temporaryRun.js';

const options = { model: smallModel, prior: 'mixture', priorComponents: 3, workers: 2 } as const;

async function trained(use: (place: { out: string; data: string }) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const place = { out: join(directory, 'run'), data: await smallData(directory) };
    await train({ ...options, epochs: 2, ...place });
    await use(place);
  });
}

test('config.json has the prior and its KL, a checkpoint its tensors and their moments; pictures are drawn', async () => {
  await trained(async ({ out }) => {
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as Record<string, unknown>;
    const { prior, priorComponents, kl } = config;
    assert.deepEqual(
      { prior, priorComponents, kl },
      { prior: 'mixture', priorComponents: 3, kl: 'monteCarlo' },
    );
    const file = join(out, 'checkpoints', 'step-000000014.safetensors');
    const { tensors } = readSafetensors(file);
    for (const group of ['parameters', 'adam/m', 'adam/v']) {
      assert.deepEqual(tensors.get(`${group}/prior/means`)?.shape, [3, 2]);
      assert.deepEqual(tensors.get(`${group}/prior/logvars`)?.shape, [3, 2]);
      assert.deepEqual(tensors.get(`${group}/prior/logits`)?.shape, [3]);
    }
    const { model, parametersSha256 } = await loadModel(file);
    assert.match(parametersSha256, /^[0-9a-f]{64}$/);
    const { offset, size } = model.model.prior;
    assert.ok(model.parameters.subarray(offset + 6, offset + size).every((value) => value !== 0));
    assert.ok(existsSync(join(out, 'pictures', 'manifold-epoch-0002.png')));
  });
});

test('evaluate gives the figures of the run; estimates, samples and comparisons go by the prior', async () => {
  await trained(async ({ out: path, data }) => {
    const line = readFileSync(join(path, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { kind: string; epoch?: number; test?: object })
      .findLast(({ kind }) => kind === 'epoch');
    assert.deepEqual((await evaluate({ path, data })).test, line?.test);
    const bound = await evaluate({ path, data, objective: 'iwae', samples: 20 });
    const { test: rows } = await estimateLikelihood({
      path,
      data,
      importance: [20],
      ais: true,
      chains: 4,
      temperatures: 50,
    });
    const mean = (name: string) => rows.find((row) => row.name === name)!;
    // The same test set, other draws.
    for (const name of ['importance.L20', 'ais.logMarginal']) {
      const { mean: found, standardError } = mean(name);
      assert.ok(
        Math.abs(found - bound.test.bound!) < standardError!,
        `${name}: ${found}, ${bound.test.bound}`,
      );
    }
    const { figures } = await compareEstimators({ path, data, draws: 20, examples: { first: 0, end: 2 } });
    assert.ok(figures.length > 1 && figures.every(({ kl }) => kl === 'monteCarlo'));
    assert.equal((await verify({ path, data, all: true })).agrees, true);
  });
});

test('refused: an analytic KL, and another prior on resume', async () => {
  await trained(async ({ out, data }) => {
    await assert.rejects(
      evaluate({ path: out, data, kl: 'analytic' }),
      new UsageError(
        'The KL to the prior of this run, mixture, has no closed form, so it is not analytic: leave --kl out.',
      ),
    );
    await assert.rejects(
      train({ resume: out, data, prior: 'standard-normal' }),
      new UsageError(
        `${out} was started with prior "mixture", but "standard-normal" is asked for now. A run that is resumed keeps ` +
          'every setting that decides its bits: leave this one out, or start a new run.',
      ),
    );
  });
});

test('a config with the prior starts a new run, with it or with another one', async () => {
  await trained(async ({ out, data }) => {
    const again = { config: join(out, 'config.json'), data, pictures: false, epochs: 1 } as const;
    const same = await train({ ...again, out: `${out}-again` });
    assert.deepEqual([same.config.prior, same.config.priorComponents], ['mixture', 3]);
    const other = await train({ ...again, out: `${out}-other`, prior: 'standard-normal' });
    const { prior, priorComponents } = other.config;
    assert.deepEqual({ prior, priorComponents }, { prior: undefined, priorComponents: undefined });
  });
});
