// What every collective must do, whatever carries its bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLICE_UNIT } from '#src/collective/parameterSlices.js';
import { normInUnits } from '../kernels/scalarNorms.js';
import { type OptimizerState, scalarOptimizers } from '../kernels/scalarOptimizers.js';
import { sumSlots } from '../kernels/shardSlots.js';
import {
  bitsOf,
  gradientOf,
  PARAMETERS,
  type ScenarioName,
  type Seen,
  type SeenNorm,
  SHARDS,
  termsOf,
  UPDATE,
  UPDATES,
} from './scenarios.js';

/** How a scenario ended on a rank. */
export type Ended =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly name: string; readonly message: string };

export interface CollectiveUnderTest {
  readonly title: string;
  /** Numbers of ranks to try. */
  readonly counts: readonly number[];
  /** Whether all ranks meet at one barrier, whose words say who has failed. */
  readonly isOneMemory: boolean;
  /** Runs a scenario on so many ranks at once. @param timeLimit of barriers, milliseconds. */
  run(ranks: number, scenario: ScenarioName, timeLimit: number): Promise<readonly Ended[]>;
}

const PATIENT = 20_000;

interface ExpectedUpdate {
  /** All shards' gradients, added in the tree. */
  readonly sum: Float32Array;
  /** Bits of the parameters behind it. */
  readonly parameters: Uint32Array;
}

/** Each update, by the definition. @param scaleOf what a sum of gradients is multiplied by. */
function expectedUpdates(scaleOf: (sum: Float32Array) => number): ExpectedUpdate[] {
  const adam = scalarOptimizers[0]!;
  let state: OptimizerState = {
    parameters: new Float32Array(PARAMETERS),
    state: [new Float32Array(PARAMETERS), new Float32Array(PARAMETERS)],
  };
  return Array.from({ length: UPDATES }, (_, update) => {
    const sum = sumSlots(Array.from({ length: SHARDS }, (_, shard) => gradientOf(update, shard)));
    state = adam.update(state, sum, { t: update + 1, ...UPDATE, scale: scaleOf(sum) });
    return { sum, parameters: bitsOf(state.parameters) };
  });
}

export function collectiveContract({ title, counts, isOneMemory, run }: CollectiveUnderTest): void {
  const returned = async (ranks: number, scenario: ScenarioName): Promise<unknown[]> =>
    (await run(ranks, scenario, PATIENT)).map((ended) => {
      if (ended.kind === 'threw') assert.fail(`${ended.name}: ${ended.message}`);
      return ended.value;
    });

  for (const ranks of counts) {
    test(`${title}, ${ranks} ranks: every rank sees the terms of all shards, and the parameters of the definition`, async () => {
      const seen = (await returned(ranks, 'updates')) as Seen[];
      const parameters = expectedUpdates(() => UPDATE.scale).map((update) => update.parameters);
      let next = 0;
      for (const rank of seen) {
        assert.equal(rank.shards[0], next, 'shards are contiguous, in the order of the ranks');
        next = rank.shards[1];
        assert.deepEqual(rank.parameters, parameters);
        for (let update = 0; update < UPDATES; update++) {
          const terms = Array.from({ length: SHARDS }, (_, shard) => termsOf(update, shard));
          assert.deepEqual(rank.totals[update], {
            logLikelihood: terms.reduce((sum, { logLikelihood }) => sum + logLikelihood, 0),
            kl: terms.reduce((sum, { kl }) => sum + kl, 0),
            bound: terms.reduce((sum, { bound }) => sum + bound, 0),
            acceptance: terms.reduce((sum, { acceptance }) => sum + acceptance, 0),
          });
        }
      }
      assert.equal(next, SHARDS);
    });
  }

  test(`${title}: every rank sees the norm of the whole gradient, in the bits of one rank, and updates by it`, async () => {
    const normOf = (sum: Float32Array) => normInUnits(sum, SLICE_UNIT);
    const expected = expectedUpdates((sum) => 1 / normOf(sum)).map(({ sum, parameters }): SeenNorm => {
      return { norm: normOf(sum), parameters };
    });
    for (const ranks of counts) {
      for (const seen of (await returned(ranks, 'updatesByNorms')) as SeenNorm[][]) {
        assert.deepEqual(seen, expected, `${ranks} ranks`);
      }
    }
  });

  if (!isOneMemory) return;

  test(`${title}: a barrier holds every rank until the last one has come`, async () => {
    for (const milliseconds of await returned(3, 'slowRank')) {
      // Four rounds of 40 ms; timers may fire a millisecond early.
      assert.ok((milliseconds as number) >= 4 * 38, `${milliseconds} ms`);
    }
  });

  test(`${title}: ranks leave with the name of the one that failed, asleep at a barrier or late`, async () => {
    const ends = await run(4, 'failing', PATIENT);
    for (const [rank, ended] of ends.entries()) {
      if (ended.kind === 'returned') assert.fail(`rank ${rank} returned`);
      assert.equal(ended.name, 'RunAborted');
      assert.equal(ended.message, 'Rank 1 has failed.');
    }
  });

  test(`${title}: ranks that wait too long say who is missing, and at which step`, async () => {
    const [first, second, third] = await run(3, 'missing', 300);
    assert.equal(second!.kind, 'returned');
    for (const ended of [first!, third!]) {
      if (ended.kind === 'returned') assert.fail('a rank returned although another one is missing');
      assert.equal(ended.name, 'Error');
      assert.match(ended.message, /^No answer within 0\.3 s from rank 1 \(at step 101\): stalled/);
    }
  });
}
