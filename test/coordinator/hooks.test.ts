// The caller's hooks: what they are told, that they can stop a run without changing a bit of it, and what
// becomes of their errors.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CheckpointInfo,
  type EpochInfo,
  loadModel,
  type StepInfo,
  type TrainOptions,
  train,
} from '#src/index.js';
import { metricsOf, rejection, withTemporaryRun } from './temporaryRun.js';

/** ceil(100 / 16). */
const stepsPerEpoch = 7;

/**
 * The number of epochs of runs that only a hook ends in time: without one they go on for long, and the test
 * fails.
 */
const EPOCHS = 500;

interface Setting {
  readonly out: string;
  readonly options: TrainOptions;
  readonly resume: TrainOptions;
}

async function withRun(use: (setting: Setting) => Promise<void>): Promise<void> {
  await withTemporaryRun(async ({ out, options, resume }) => {
    await use({ out, options: { ...options, logEvery: 1, out }, resume });
  });
}

test('hooks are told of every step, epoch and checkpoint, in order, with the figures of metrics.jsonl', async () => {
  await withRun(async ({ out, options }) => {
    const steps: StepInfo[] = [];
    const epochs: EpochInfo[] = [];
    const checkpoints: CheckpointInfo[] = [];
    const order: string[] = [];
    const result = await train({
      ...options,
      hooks: {
        onStep: (info) => void steps.push(info),
        onEpoch: (info) => {
          epochs.push(info);
          order.push(`epoch ${info.epoch}`);
        },
        onCheckpoint: (info) => {
          checkpoints.push(info);
          order.push(`checkpoint ${info.step}`);
        },
      },
    });
    assert.deepEqual(
      steps.map(({ step, epoch }) => [step, epoch]),
      Array.from({ length: 3 * stepsPerEpoch }, (_, i) => [i + 1, 1 + Math.floor(i / stepsPerEpoch)]),
    );
    assert.deepEqual(
      steps.map(({ batch, ...rest }) => ({ kind: 'batch', ...rest, ...batch })),
      await metricsOf(out, 'batch'),
    );
    assert.deepEqual(
      epochs.map((info) => ({ kind: 'epoch', ...info })),
      await metricsOf(out, 'epoch'),
    );
    assert.deepEqual(order, [
      ...['checkpoint 7', 'epoch 1', 'checkpoint 14', 'epoch 2', 'checkpoint 21', 'epoch 3'],
    ]);
    assert.deepEqual(checkpoints.at(-1), {
      step: 21,
      path: join(out, 'checkpoints', 'step-000000021.safetensors'),
      sha256: result.parametersSha256,
    });
    const silent = await train({ ...options, out: `${out}-silent` });
    assert.equal(silent.parametersSha256, result.parametersSha256);
  });
});

test('onEpoch stops after epoch 1: resumed, the run has the bits and metrics of the undisturbed one', async () => {
  await withRun(async ({ out, options, resume }) => {
    const whole = await train({ ...options, out: `${out}-whole` });
    const stopped = await train({ ...options, hooks: { onEpoch: () => 'stop' } });
    assert.deepEqual([stopped.reason, stopped.step], ['stopped', stepsPerEpoch]);
    const resumed = await train({ ...resume, logEvery: 1, workers: 1 });
    assert.equal(resumed.reason, 'done');
    assert.equal(resumed.parametersSha256, whole.parametersSha256);
    assert.deepEqual(await metricsOf(out, 'batch'), await metricsOf(`${out}-whole`, 'batch'));
  });
});

test('the next epoch waits for a promise of onEpoch and onCheckpoint, so that it can stop in time', async () => {
  for (const name of ['onEpoch', 'onCheckpoint'] as const) {
    await withRun(async ({ options }) => {
      const hook = async () => {
        await sleep(150);
        return 'stop' as const;
      };
      const { reason, step } = await train({ ...options, hooks: { [name]: hook } });
      assert.deepEqual([reason, step], ['stopped', stepsPerEpoch], name);
    });
  }
});

for (const promised of [false, true]) {
  test(`onStep stops the run by ${promised ? 'a promise of' : ''} 'stop' some steps later, and is told of these, too`, async () => {
    await withRun(async ({ options, resume }) => {
      const seen: number[] = [];
      const onStep = ({ step }: StepInfo) => {
        seen.push(step);
        if (step !== 3) return undefined;
        return promised ? Promise.resolve('stop' as const) : ('stop' as const);
      };
      const stopped = await train({ ...options, epochs: EPOCHS, hooks: { onStep } });
      assert.equal(stopped.reason, 'stopped');
      assert.ok(stopped.step < EPOCHS * stepsPerEpoch);
      assert.deepEqual(
        seen,
        Array.from({ length: stopped.step }, (_, i) => i + 1),
      );
      const maxSteps = stopped.step + 3;
      const resumed = await train({ ...resume, maxSteps });
      const { out } = options;
      const straight = await train({ ...options, epochs: EPOCHS, out: `${out}-straight`, maxSteps });
      assert.equal(resumed.parametersSha256, straight.parametersSha256);
    });
  });
}

test('stopping in the last epoch, or returning anything else than stop, leaves a run that is done', async () => {
  await withRun(async ({ options }) => {
    const onEpoch = ({ epoch }: EpochInfo) => (epoch === 3 ? 'stop' : undefined);
    const onStep = (() => 'Stop') as unknown as () => undefined;
    const { reason, step } = await train({ ...options, hooks: { onEpoch, onStep } });
    assert.deepEqual([reason, step], ['done', 3 * stepsPerEpoch]);
  });
});

test('hooks of a class keep their this, and its fields are no hooks', async () => {
  await withRun(async ({ options }) => {
    class Patience {
      epochs = 0;
      onEpoch() {
        this.epochs += 1;
        return this.epochs === 2 ? ('stop' as const) : undefined;
      }
    }
    const hooks = new Patience();
    const { step } = await train({ ...options, hooks });
    assert.deepEqual([step, hooks.epochs], [2 * stepsPerEpoch, 2]);
  });
});

const boom = new TypeError('boom');

for (const promised of [false, true]) {
  test(`onStep ${promised ? 'rejects' : 'throws'}: the run stops with a checkpoint that goes on to the same bits`, async () => {
    await withRun(async ({ out, options, resume }) => {
      const calls: number[] = [];
      const onStep = ({ step }: StepInfo) => {
        calls.push(step);
        if (step < 3) return undefined;
        if (promised) return Promise.reject(boom);
        throw boom;
      };
      const error = await rejection(train({ ...options, epochs: EPOCHS, hooks: { onStep } }));
      assert.match(error.message, /^The hook onStep threw at step 3: boom\./);
      assert.equal(error.cause, boom);
      if (!promised) assert.deepEqual(calls, [1, 2, 3]);
      const { step } = await loadModel(out);
      if (!promised)
        assert.match(error.message, new RegExp(` The run stopped after step ${step}, with a checkpoint: `));
      const maxSteps = step + 3;
      const resumed = await train({ ...resume, maxSteps });
      const straight = await train({ ...options, epochs: EPOCHS, out: `${out}-straight`, maxSteps });
      assert.equal(resumed.parametersSha256, straight.parametersSha256);
    });
  });

  for (const [name, when] of [
    ['onEpoch', 'after epoch 1'],
    ['onCheckpoint', 'at the checkpoint of step 7'],
  ] as const) {
    test(`${name} ${promised ? 'rejects' : 'throws'}: the run rejects with that as its cause, after the checkpoint`, async () => {
      await withRun(async ({ out, options }) => {
        const hook = () => {
          if (promised) return Promise.reject(boom);
          throw boom;
        };
        const error = await rejection(train({ ...options, epochs: EPOCHS, hooks: { [name]: hook } }));
        assert.equal(error.message, `The hook ${name} threw ${when}: boom.`);
        assert.equal(error.cause, boom);
        assert.equal((await loadModel(out)).step, stepsPerEpoch);
      });
    });
  }
}
