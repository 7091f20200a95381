// What processes exchange, carried out on arrays: every byte that one expects is sent by another one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLICE_UNIT } from '#src/collective/parameterSlices.js';
import type { PartRange } from '#src/collective/parts.js';
import {
  bytesSent,
  cutRegion,
  type Exchange,
  type ExchangePlan,
  exchangePlan,
} from '#src/collective/processes/transfers.js';
import { addressOf } from '#src/kernels/address.js';

/** Ten units of slices, less two cache lines. */
const PARAMETERS = 1248;
const PITCH = PARAMETERS * 4;
const SHARDS = 8;

/** A plan in which process p has all regions 1000 · p bytes farther on. */
function planOf(processes: number, process: number): ExchangePlan {
  const at = (bytes: number) => addressOf(1000 * process + bytes);
  return exchangePlan(
    {
      parameters: at(0),
      state: [at(5000), at(10_000)],
      slots: at(15_000),
      slotPitch: PITCH,
      parameterCount: PARAMETERS,
      shards: SHARDS,
      shardTerms: cutRegion(at(55_000), SHARDS, 32, processes),
      squaredNorms: at(55_500),
      decisions: cutRegion(at(56_000), processes, 4, processes),
      testTerms: [cutRegion(at(57_000), 7, 8, processes)],
    },
    { processes, process },
  );
}

const size = ({ first, end }: PartRange) => end - first;

/** Carries out an exchange on a memory a process, by the rules of MPI. */
function carryOut(exchanges: readonly Exchange[], memories: readonly Uint8Array[]): void {
  const before = memories.map((memory) => memory.slice());
  for (const [receiver, exchange] of exchanges.entries()) {
    for (const [i, transfer] of exchange.entries()) {
      for (let sender = 0; sender < exchanges.length; sender++) {
        const sent = exchanges[sender]![i]!;
        assert.equal(sent.kind, transfer.kind);
        const from = sent.kind === 'all-gather' ? sent.parts[sender]! : sent.from[receiver]!;
        const to = transfer.kind === 'all-gather' ? transfer.parts[sender]! : transfer.to[sender]!;
        assert.equal(size(from), size(to), 'the receiver expects what the sender sends');
        memories[receiver]!.set(before[sender]!.subarray(from.first, from.end), to.first);
      }
    }
  }
}

for (const processes of [1, 2, 3, 4, 5, 8]) {
  test(`${processes} processes: an owner gets its slice of all sums; slices, terms and the start reach all`, () => {
    const plans = Array.from({ length: processes }, (_, process) => planOf(processes, process));
    for (const name of Object.keys(plans[0]!) as (keyof ExchangePlan)[]) {
      const memories = plans.map((_, process) => {
        return Uint8Array.from({ length: 70_000 }, (_, byte) => (byte * 7 + process * 13) & 255);
      });
      carryOut(
        plans.map((plan) => plan[name]),
        memories,
      );
    }
  });
}

test('traffic: where counts are powers of two, a step sends 2 · (n − 1) / n of the parameters', () => {
  for (const processes of [2, 4, 8]) {
    for (let process = 0; process < processes; process++) {
      const place = { processes, process };
      const plan = planOf(processes, process);
      const floats = (exchange: Exchange) => bytesSent(exchange, place) / 4;
      const share = (processes - 1) / processes;
      // Slices are whole units, so that they differ by one.
      assert.ok(Math.abs(floats([plan['shard terms'][1]!]) - share * PARAMETERS) <= SLICE_UNIT);
      assert.ok(Math.abs(floats([plan.parameters[0]!]) - share * PARAMETERS) <= SLICE_UNIT);
    }
  }
});

test('norms: process p sends those of the units that begin in its slice', () => {
  for (const processes of [1, 2, 3, 4, 8]) {
    const plan = planOf(processes, 0);
    const [parameters] = plan.parameters;
    const [norms] = plan['squared norms'];
    assert.ok(parameters!.kind === 'all-gather' && norms!.kind === 'all-gather');
    for (const [process, { first, end }] of norms!.parts.entries()) {
      const slice: PartRange = parameters!.parts[process]!;
      assert.deepEqual(
        { first: first - 55_500, end: end - 55_500 },
        { first: (slice.first / 4 / SLICE_UNIT) * 8, end: Math.ceil(slice.end / 4 / SLICE_UNIT) * 8 },
      );
    }
  }
});
