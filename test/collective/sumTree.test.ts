// Sums of subtrees and the rest of the tree, against the tree itself, by the bits of float32 sums.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partRange } from '#src/collective/parts.js';
import { heldSubtrees, restOfTree } from '#src/collective/sumTree.js';

/** Adds slots as treeReduce does (kernels/assembly/optimizer.ts); the sum is left in the first one. */
function treeReduce(slots: string[], first: number, pitch: number, count: number): void {
  for (let distance = 1; distance < count; distance *= 2) {
    for (let shard = 0; shard + distance < count; shard += 2 * distance) {
      const target = first + shard * pitch;
      slots[target] = `(${slots[target]}+${slots[target + distance * pitch]})`;
    }
  }
}

/** Which additions are made in which order is in the text of a sum. */
function leaves(shards: number): string[] {
  return Array.from({ length: shards }, (_, shard) => String(shard));
}

const worlds = fc
  .integer({ min: 1, max: 40 })
  .chain((shards) =>
    fc.record({ shards: fc.constant(shards), processes: fc.integer({ min: 1, max: shards }) }),
  );

test('processes add their subtrees, an owner the rest: the additions are those of the whole tree', () => {
  fc.assert(
    fc.property(worlds, ({ shards, processes }) => {
      const whole = leaves(shards);
      treeReduce(whole, 0, 1, shards);
      const slots = leaves(shards);
      let roots = 0;
      for (let process = 0; process < processes; process++) {
        for (const { first, end } of heldSubtrees(shards, partRange(shards, processes, process))) {
          treeReduce(slots, first, 1, end - first);
          roots++;
        }
      }
      const rest = restOfTree(shards, processes);
      if (rest.kind === 'tree') {
        assert.equal(rest.count, roots);
        treeReduce(slots, 0, rest.stride, rest.count);
      } else {
        assert.equal(rest.additions.length, roots - 1);
        for (const { target, distance } of rest.additions) treeReduce(slots, target, distance, 2);
      }
      assert.equal(slots[0], whole[0]);
    }),
    { numRuns: 2000 },
  );
});

test('subtrees are as few as they can be: where counts are powers of two, one a process', () => {
  for (const [shards, processes] of [
    [8, 1],
    [8, 2],
    [8, 4],
    [8, 8],
    [64, 16],
  ] as const) {
    for (let process = 0; process < processes; process++) {
      const held = partRange(shards, processes, process);
      assert.deepEqual(heldSubtrees(shards, held), [held]);
    }
    assert.deepEqual(restOfTree(shards, processes), {
      kind: 'tree',
      stride: shards / processes,
      count: processes,
    });
  }
  // 3 processes of 8 shards: 0 1 | 2 3, 4 | 5, 6 7.
  assert.deepEqual(heldSubtrees(8, { first: 2, end: 5 }), [
    { first: 2, end: 4 },
    { first: 4, end: 5 },
  ]);
  assert.equal(restOfTree(8, 3).kind, 'additions');
});
