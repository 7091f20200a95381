// `verify`: a replay from checkpoints agrees with the run that wrote them, and finds what was changed.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RunConfig, type TrainOptions, train, UsageError, verify } from '#src/index.js';
import { loadCheckpoint, saveCheckpoint } from '#src/runs/checkpoint.js';
import { openRunDirectory } from '#src/runs/runDirectory.js';
import { damage } from '../runs/forgedCheckpoint.js';
import { rejection, type TemporaryRun, withTemporaryRun } from './temporaryRun.js';

const checkpoint = (out: string, step: number) =>
  join(out, 'checkpoints', `step-${String(step).padStart(9, '0')}.safetensors`);

/** Epochs have 7 steps; checkpoints are of steps 4 (stopped there), 7, 14 and 17. */
async function trained({ out, options, resume }: TemporaryRun, more: TrainOptions = {}): Promise<void> {
  const common = { keepCheckpoints: 10, logEvery: 2 };
  await train({ ...options, ...common, ...more, out, maxSteps: 4 });
  await train({ ...resume, ...common, maxSteps: 17 });
}

/** Every file with its bytes and the moment of its last change. */
function contents(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true }).map(String);
  return new Map(
    names.map((name) => {
      const path = join(directory, name);
      const status = statSync(path);
      const bytes = status.isDirectory() ? '' : readFileSync(path, 'latin1');
      return [name, `${status.mtimeMs} ${bytes}`];
    }),
  );
}

/** The neighbour of a float32 number away from zero. */
function nextUp(value: number): number {
  const bits = new Uint32Array([0]);
  const float = new Float32Array(bits.buffer);
  float[0] = value;
  bits[0]! += 1;
  return float[0]!;
}

test('all intervals of a run agree, on another number of workers, and nothing is written', async () => {
  await withTemporaryRun(async (run) => {
    await trained(run);
    const before = contents(run.out);
    const seen: number[] = [];
    const { agrees, intervals, unusable, workers } = await verify({
      path: run.out,
      data: run.data,
      all: true,
      workers: 3,
      onProgress: (done, count) => {
        assert.equal(count, 17);
        seen.push(done);
      },
    });
    assert.deepEqual([agrees, unusable, workers], [true, [], 3]);
    const steps = intervals.map(({ from, to }) => [from, to]);
    assert.deepEqual(steps, [
      [0, 4],
      [4, 7],
      [7, 14],
      [14, 17],
    ]);
    // Lines of steps 2, 4; 6 and the epoch; 8 … 14 and the epoch; 16.
    assert.deepEqual(
      intervals.map(({ metrics }) => [metrics!.lines, metrics!.differing]),
      [
        [2, 0],
        [2, 0],
        [5, 0],
        [1, 0],
      ],
    );
    for (const { tensors, parametersSha256, epochSums } of intervals) {
      assert.deepEqual(tensors, []);
      assert.equal(parametersSha256!.stored, parametersSha256!.replayed);
      assert.equal(epochSums!.agree, true);
    }
    assert.deepEqual(contents(run.out), before);
  });
});

test('by default the last interval is replayed; from and to choose others', async () => {
  await withTemporaryRun(async (run) => {
    await trained(run);
    const stepsOf = async (options: object) => {
      const { agrees, intervals } = await verify({ path: run.out, data: run.data, ...options });
      assert.ok(agrees);
      return intervals.map(({ from, to }) => `${from}-${to}`).join(' ');
    };
    assert.equal(await stepsOf({}), '14-17');
    assert.equal(await stepsOf({ to: 7 }), '4-7');
    assert.equal(await stepsOf({ from: 4, to: 14 }), '4-7 7-14');
    assert.equal(await stepsOf({ to: 4 }), '0-4');
  });
});

test('one bit of one tensor: the tensor, the element and 1 ULP are named, and that its checkpoint alone is wrong', async () => {
  await withTemporaryRun(async (run) => {
    await trained(run);
    const path = checkpoint(run.out, 7);
    const whole = loadCheckpoint(path);
    const { parameters } = whole;
    // The second weight of the first kernel, [kernel height, kernel width, channels, filters].
    const original = parameters[1]!;
    parameters[1] = nextUp(original);
    await saveCheckpoint(path, whole);

    const { agrees, intervals } = await verify({ path: run.out, data: run.data, all: true });
    assert.equal(agrees, false);
    const [first, second, third, fourth] = intervals;
    assert.deepEqual(first!.tensors, []);
    const [tensor, ...others] = second!.tensors!;
    assert.deepEqual(others, []);
    assert.deepEqual(tensor, {
      tensor: 'parameters/encoder/conv2d/weights',
      shape: [3, 3, 1, 4],
      size: 36,
      elements: 1,
      mostUlp: 1,
      first: { index: [0, 0, 0, 1], stored: nextUp(original), replayed: original },
    });
    assert.notEqual(second!.parametersSha256!.stored, second!.parametersSha256!.replayed);
    assert.equal(second!.metrics!.differing, 0);
    assert.ok(third!.tensors!.length > 0);
    assert.equal(third!.agreesFromReplay, true);
    assert.deepEqual(fourth!.tensors, []);
  });
});

test('the state of the optimizer is compared, too', async () => {
  await withTemporaryRun(async (run) => {
    await trained(run);
    const path = checkpoint(run.out, 17);
    const whole = loadCheckpoint(path);
    const v = whole.optimizerState.get('adam/v')!;
    v[v.length - 1] = nextUp(nextUp(v.at(-1)!));
    await saveCheckpoint(path, whole);
    const { agrees, intervals } = await verify({ path: run.out, data: run.data });
    assert.equal(agrees, false);
    assert.deepEqual(
      intervals[0]!.tensors!.map(({ tensor, elements, mostUlp }) => [tensor, elements, mostUlp]),
      [['adam/v/decoder/conv2d_transpose/bias', 1, 2]],
    );
    assert.equal(intervals[0]!.parametersSha256!.stored, intervals[0]!.parametersSha256!.replayed);
  });
});

test('changed epoch sums and metrics lines are found where the bits of the state agree', async () => {
  await withTemporaryRun(async (run) => {
    await trained(run);
    const path = checkpoint(run.out, 17);
    const whole = loadCheckpoint(path);
    await saveCheckpoint(path, {
      ...whole,
      epochSums: { ...whole.epochSums, kl: nextUp(whole.epochSums.kl!) },
    });
    const metricsPath = join(run.out, 'metrics.jsonl');
    const changed = readFileSync(metricsPath, 'utf8').replace(
      /("step":14,"kind":"batch".*"kl":)([\d.]+)/,
      '$19$2',
    );
    writeFileSync(metricsPath, changed);
    const { agrees, intervals } = await verify({ path: run.out, data: run.data, from: 7 });
    assert.equal(agrees, false);
    assert.ok(intervals.every(({ tensors }) => tensors!.length === 0));
    assert.deepEqual(
      intervals.map(({ epochSums }) => epochSums!.agree),
      [true, false],
    );
    const { lines, differing, first, agreeUntil } = intervals[0]!.metrics!;
    assert.deepEqual([lines, differing, first!.step, agreeUntil], [5, 1, 14, 12]);
    assert.notEqual(first!.stored.kl, first!.replayed!.kl);
  });
});

test('a damaged checkpoint is named, and the replay bridges it; a line that was cut off is no difference', async () => {
  await withTemporaryRun(async (run) => {
    await trained(run);
    damage(checkpoint(run.out, 14));
    appendFileSync(join(run.out, 'metrics.jsonl'), '{"step":18,"ki');
    const { agrees, intervals, unusable } = await verify({ path: run.out, data: run.data });
    assert.equal(agrees, false);
    assert.deepEqual(
      intervals.map(({ from, to, tensors, metrics }) => [from, to, tensors, metrics!.differing]),
      [[7, 17, [], 0]],
    );
    assert.deepEqual(
      unusable.map(({ path }) => path),
      [checkpoint(run.out, 14)],
    );
    assert.match(unusable[0]!.reason, /SHA-256|damaged/);
  });
});

test('a run that changed its backend is replayed with each, across the change', async () => {
  await withTemporaryRun(async (run) => {
    await train({ ...run.options, out: run.out, workers: 1, backend: 'cpu', maxSteps: 3 });
    await train({ ...run.resume, workers: 1, backend: 'simd', maxSteps: 6 });
    damage(checkpoint(run.out, 3));
    const { intervals } = await verify({ path: run.out, data: run.data, workers: 1 });
    assert.deepEqual(
      intervals.map(({ from, to, backends, tensors }) => ({ from, to, backends, tensors })),
      [{ from: 0, to: 6, backends: ['cpu', 'simd'], tensors: [] }],
    );
  });
});

test('what cannot be verified is refused with a sentence', async () => {
  await withTemporaryRun(async (run) => {
    const refused = async (options: object) => {
      const error = await rejection(verify({ path: run.out, data: run.data, ...options }));
      assert.ok(error instanceof UsageError, String(error));
      return error.message;
    };
    await trained(run);
    assert.equal(
      await refused({ from: 5 }),
      `${run.out} has no checkpoint of step 5, and only checkpoints can be compared: from (--from) may be 0, 4, 7, 14, 17.`,
    );
    assert.equal(
      await refused({ to: 0 }),
      `${run.out} has no checkpoint of step 0, and only checkpoints can be compared: to (--to) may be 4, 7, 14, 17.`,
    );
    assert.equal(
      await refused({ from: 7, to: 7 }),
      'The steps from 7 to 7 are none: the step to begin at must be the smaller one.',
    );
    assert.equal(
      await refused({ all: true, to: 7 }),
      'All steps begin at 0 and end at the newest checkpoint: give either all, or from and to.',
    );
    const images = { images: new Uint8Array(2 * 64), height: 8, width: 8, testCount: 1 };
    const message = await refused({ data: images });
    assert.match(
      message,
      /was trained on images of the fingerprint [0-9a-f]{64}, but those of .* have [0-9a-f]{64}\./,
    );
    assert.match(await refused({ workers: 9 }), /^9 workers cannot share 8 shards/);
    assert.match(await refused({ path: run.data }), /holds no run: it has no config\.json/);
    // A run that was killed before its first checkpoint.
    const config: RunConfig = (await openRunDirectory(run.out)).readConfig();
    rmSync(run.out, { recursive: true });
    mkdirSync(run.out);
    writeFileSync(join(run.out, 'config.json'), JSON.stringify(config));
    assert.equal(
      await refused({}),
      `${run.out} has no checkpoint yet: a run writes one after each epoch, and when it is stopped.`,
    );
  });
});
