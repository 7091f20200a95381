import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plus } from '#src/kernels/address.js';
import { gamma } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import { placeSlots, sampleSlots, sumSlots } from './shardSlots.js';

const harness = new KernelHarness(1 << 20);

/** Returns the first slot, reduced. */
function treeReduce(slots: readonly Float32Array[], splits: readonly number[] = []): Float32Array {
  harness.reset();
  const count = slots[0]!.length;
  const { address, pitch } = placeSlots(harness, slots);
  const ends = [...splits, count];
  ends.forEach((end, i) => {
    const from = ends[i - 1] ?? 0;
    harness.run((kernels) => kernels.treeReduce(plus(address, from * 4), pitch, slots.length, end - from));
  });
  return harness.floats(address, count);
}

// The kernel works in chunks of 512 floats.
const counts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 511, 512, 513, 516, 1030];

for (const shards of [1, 2, 3, 4, 5, 6, 7, 8, 9, 16]) {
  test(`${shards} shards: the bits of the tree, within γ of the float64 sum`, () => {
    for (const count of counts) {
      const slots = sampleSlots(shards, count, 10 * shards);
      const result = treeReduce(slots);
      const columns = Array.from({ length: count }, (_, i) => slots.map((slot) => slot[i]!));
      assertSameBits(result, sumSlots(slots), `${count} floats`);
      columns.forEach((column, i) => {
        const exact = column.reduce((a, b) => a + b);
        const magnitude = column.reduce((a, b) => a + Math.abs(b), 0);
        const error = Math.abs(result[i]! - exact);
        assert.ok(
          error <= gamma(Math.ceil(Math.log2(shards))) * magnitude,
          `element ${i} is off by ${error}`,
        );
      });
    }
  });
}

test('who sums which slice does not change a bit', () => {
  const cut = fc.integer({ min: 0, max: 260 }).map((vectors) => 4 * vectors);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(cut, { maxLength: 4 }),
      fc.nat(),
      (shards, cuts, seed) => {
        const slots = sampleSlots(shards, 1041, seed);
        const splits = cuts.sort((a, b) => a - b);
        assertSameBits(treeReduce(slots, splits), treeReduce(slots), `slices end at ${splits.join(', ')}`);
      },
    ),
  );
});
