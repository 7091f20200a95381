import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { InferencePool } from '#src/coordinator/inferencePool.js';
import type { EstimateOptions } from '#src/inference/estimates/registry.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import { draw, smallModels } from '../reference/smallModels.js';

const model = smallModels[1]!;
const parameters = Float32Array.from(draw(model.parameters.size, 1, 1 / 2));
const COUNT = 5;
const x = Float32Array.from(draw(COUNT * model.dimensions, 2).map((value) => Math.min(1, Math.abs(value))));
const annealing = { chains: 2, temperatures: 12, schedule: 'sigmoidal', leapfrogSteps: 3 } as const;
const wanted: EstimateOptions = {
  elbo: { samples: 3 },
  importance: { draws: [1, 7, 130] },
  ais: annealing,
  bdmc: annealing,
  gaps: { steps: 6, draws: 4, samples: 3 },
  posterior: { method: 'hmc', chains: 2, warmup: 4, draws: 16, leapfrogSteps: 3 },
};

function open(workers: number, dies?: (first: number, attempt: number) => boolean): InferencePool {
  const context = { model, parameters, likelihood: BERNOULLI, arithmetic: 'portable', seed: 3n } as const;
  return new InferencePool({ ...context, workers, ...(dies ? { dies } : {}) });
}

const ALL = Array.from({ length: COUNT }, (_, i) => i);

interface Range {
  readonly positions?: readonly number[];
  readonly chunk?: number;
}

async function estimate(pool: InferencePool, { positions = ALL, chunk = 2 }: Range = {}) {
  const rows = positions.map((i) => x.slice(i * model.dimensions, (i + 1) * model.dimensions));
  const own = Float32Array.from(rows.flatMap((row) => [...row]));
  return pool.estimate({ wanted, positions, x: own, chunk }).finally(() => pool.close());
}

const whole = await estimate(open(1));

test('every estimate has a finite figure for each example', () => {
  const names = Object.keys(whole.figures);
  for (const name of Object.keys(wanted)) {
    assert.ok(
      names.some((figure) => figure.startsWith(`${name}.`)),
      `${name} is missing`,
    );
  }
  for (const [name, values] of Object.entries(whole.figures)) {
    assert.equal(values.length % COUNT, 0, name);
    assert.ok(values.every(Number.isFinite), name);
  }
});

test('the bits of every estimate are those of every Node', () => {
  const hash = createHash('sha256');
  for (const name of Object.keys(whole.figures).sort()) {
    hash.update(name).update(new Uint8Array(Float64Array.from(whole.figures[name]!).buffer));
  }
  // Made by this test. A change of it is a change of likelihoods that were reported: CHANGELOG says why.
  assert.equal(hash.digest('hex'), 'a803be1ba6349834c16a8dd4ed48fb23c459955dbd735117333942179f57891a');
});

test('the bits are the same for 1, 2 and 3 workers, and for other chunks', async () => {
  for (const workers of [2, 3]) assert.deepEqual(await estimate(open(workers)), whole, `${workers} workers`);
  for (const chunk of [1, 5])
    assert.deepEqual(await estimate(open(2), { chunk }), whole, `chunks of ${chunk}`);
});

test('some of the examples, in any order, have their rows of the whole', async () => {
  const places = [4, 1, 2];
  const part = await estimate(open(2), { positions: places });
  for (const [name, values] of Object.entries(whole.figures)) {
    const width = values.length / COUNT;
    const rows = places.flatMap((i) => [...values.slice(i * width, (i + 1) * width)]);
    assert.deepEqual(part.figures[name], Float64Array.from(rows), name);
  }
});

test('a chunk whose thread dies is computed again, with the same bits', async () => {
  const deaths: number[] = [];
  const dies = (first: number, attempt: number) => {
    const now = attempt < 2 && first === 2;
    if (now) deaths.push(first);
    return now;
  };
  assert.deepEqual(await estimate(open(2, dies)), whole);
  assert.deepEqual(deaths, [2, 2]);
});

test('a chunk whose threads die again and again ends the work', async () => {
  await assert.rejects(
    estimate(open(2, (first) => first === 2)),
    /^Error: The worker thread of test examples 2, 3 died 3 times: /,
  );
});

test('after an abort the examples that are done have figures', async () => {
  const controller = new AbortController();
  const pool = open(1);
  const onProgress = (done: number) => {
    if (done >= 2) controller.abort();
  };
  const range = { wanted, positions: ALL, x, chunk: 2, signal: controller.signal, onProgress };
  const { count, figures } = await pool.estimate(range).finally(() => pool.close());
  assert.equal(count, 2);
  assert.deepEqual(figures['ais.logMarginal'], whole.figures['ais.logMarginal']!.slice(0, 2));
});

test('progress rises within a chunk, and ends with all examples', async () => {
  const pool = open(1);
  const seen: number[] = [];
  const long = { ais: { ...annealing, temperatures: 20_000 } };
  const onProgress = (done: number) => seen.push(done);
  await pool
    .estimate({ wanted: long, positions: ALL, x, chunk: COUNT, onProgress })
    .finally(() => pool.close());
  assert.ok(
    seen.some((done) => done > 0 && done < COUNT),
    `${seen}`,
  );
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  assert.equal(seen.at(-1), COUNT);
});

const settings = { objective: 'iwae', samples: 2, beta: 0.5, draws: 45 } as const;
const compared = { settings, x, positions: ALL };

function compare(pool: InferencePool) {
  return pool.compare(compared).finally(() => pool.close());
}

test('gradients of estimators: the same sums for 1, 2 and 3 workers, and where threads die', async () => {
  const one = await compare(open(1));
  assert.equal(one.count, 20);
  for (const [name, values] of Object.entries(one.figures)) assert.ok(values.every(Number.isFinite), name);
  for (const workers of [2, 3]) assert.deepEqual(await compare(open(workers)), one, `${workers} workers`);
  assert.deepEqual(await compare(open(2, (block, attempt) => block === 7 && attempt < 2)), one);
  await assert.rejects(
    compare(open(2, (block) => block === 3)),
    /^Error: The worker thread of block 3 of the draws died 3 times: /,
  );
});

test('gradients of estimators: after an abort the blocks that are done have sums', async () => {
  const controller = new AbortController();
  const pool = open(1);
  const onProgress = (done: number) => {
    if (done >= 4) controller.abort();
  };
  const watched = { ...compared, signal: controller.signal, onProgress };
  const { count, figures } = await pool.compare(watched).finally(() => pool.close());
  const whole = await compare(open(1));
  assert.equal(count, 4);
  assert.deepEqual(figures['square.1'], whole.figures['square.1']!.slice(0, 4));
});
