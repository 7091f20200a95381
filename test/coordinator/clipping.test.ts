// Runs whose gradients are clipped: the update waits for the norm of all slices, also where a worker dies
// between the two, and where the gradient is not finite.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainWithFaults } from '#src/coordinator/train.js';
import type { RunEvent, TrainOptions } from '#src/index.js';
import { canFuse } from '#src/kernels/platform.js';
import type { Fault } from '#src/worker/fault.js';
import { readGolden, traceOf } from './bitsTrace.js';
import { denseModel, smallModel } from './smallRun.js';
import { metricsOf, withoutTimes, withTemporaryRun } from './temporaryRun.js';

interface Ran {
  readonly hash: string;
  readonly metrics: readonly object[];
  readonly events: readonly RunEvent[];
}

function run(options: TrainOptions, faults: readonly Fault[] = []): Promise<Ran> {
  return withTemporaryRun(async ({ options: common, out }) => {
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent) => events.push(event);
    const result = await trainWithFaults({ ...common, ...options, out, logEvery: 1, onEvent }, faults);
    const metrics = (await metricsOf(out)).map(withoutTimes);
    return { hash: result.parametersSha256, metrics, events };
  });
}

const told = ({ events }: Ran, wanted: RunEvent['kind']) => events.filter(({ kind }) => kind === wanted);

for (const [rule, model] of [
  ['slots', smallModel],
  ['owners', { ...denseModel, training: smallModel.training! }],
] as const) {
  test(`${rule}: a worker dies at each point of a step`, async () => {
    // Two of each phase: one more phase than without clipping, and one more where owners leave sums.
    const points = rule === 'slots' ? 14 : 16;
    for (const workers of [1, 3]) {
      const options = { model, workers, clipNorm: 3, maxSteps: 20 };
      const faults = Array.from({ length: points }, (_, point): Fault => {
        return { kind: 'throw', rank: point % workers, step: point + 2, point, times: 1 };
      });
      const disturbed = await run(options, faults);
      assert.equal(told(disturbed, 'recovered').length, points);
      const { hash, metrics } = await run(options);
      assert.deepEqual({ hash: disturbed.hash, metrics: disturbed.metrics }, { hash, metrics });
    }
  });

  test(`${rule}: steps that are too large are refused and skipped, on any number of workers`, async () => {
    // So small a bound that the state of SGD would stay finite for long: it is the parameters that overflow.
    const options = { model, optimizer: 'sgd', clipNorm: 1e30, learningRate: 1e10, onNan: 'skip' } as const;
    const [one, three] = await Promise.all(
      [1, 3].map((workers) => run({ ...options, workers, maxSteps: 6 })),
    );
    const skipped = told(one!, 'skipped');
    assert.ok(skipped.length > 0 && skipped.length < 6, `${skipped.length} of 6 steps`);
    assert.deepEqual(told(three!, 'skipped'), skipped);
    assert.equal(three!.hash, one!.hash);
  });
}

const golden = readGolden<Record<'cvae' | 'mlp', string>>('clipping.json');

for (const arithmetic of ['portable', 'fused'] as const) {
  const skip = arithmetic === 'fused' && !canFuse() && 'This machine does not fuse multiply-adds.';
  for (const [model, clipNorm] of [
    ['cvae', 100],
    ['mlp', 20],
  ] as const) {
    test(`GLD: ${model} clipped in ${arithmetic} arithmetic has its golden hash`, { skip }, async () => {
      const { steps } = await traceOf({ model, arithmetic, workers: 2, clipNorm }, [25]);
      assert.equal(steps[0]!.parameters, golden[arithmetic][model]);
    });
  }
}
