// The tree in which the gradients of the shards are added (treeReduce in kernels/assembly/optimizer.ts), cut
// where processes hold neighbouring shards: which of its sums a process can make alone, and which are left.
import { type PartRange, partRange } from './parts.js';

/** Slot `target` becomes the sum of itself and of slot `target + distance`. */
export interface Addition {
  readonly target: number;
  readonly distance: number;
}

/** What is left to add once each process has added what it holds. */
export type Rest =
  /** The tree over `count` slots, `stride` slots apart, from the first slot on. */
  | { readonly kind: 'tree'; readonly stride: number; readonly count: number }
  /** One addition after the other. */
  | { readonly kind: 'additions'; readonly additions: readonly Addition[] };

/**
 * The largest subtrees of which a process holds all shards, each as its shards. The sum of one is left in the
 * slot of its first shard; treeReduce over its slots alone makes the same additions as over all.
 * @param held contiguous shards.
 */
export function heldSubtrees(shards: number, held: PartRange): PartRange[] {
  const subtrees: PartRange[] = [];
  for (let first = held.first; first < held.end; ) {
    let end = first + 1;
    // A subtree of 2ᵏ shards begins at a multiple of 2ᵏ; the last one of the tree may have fewer.
    for (let size = 2; first % size === 0; size *= 2) {
      const wider = Math.min(first + size, shards);
      if (wider > held.end) break;
      end = wider;
      if (wider === shards) break;
    }
    subtrees.push({ first, end });
    first = end;
  }
  return subtrees;
}

/** What is left to add, when each of the processes has added its subtrees. */
export function restOfTree(shards: number, processes: number): Rest {
  const roots = Array.from({ length: processes }, (_, process) =>
    heldSubtrees(shards, partRange(shards, processes, process)),
  ).flat();
  const stride = roots.length > 1 ? roots[1]!.first : shards;
  const even = roots.every(({ first }, i) => first === i * stride);
  if (roots.length === 1 || (even && Number.isInteger(Math.log2(stride)))) {
    return { kind: 'tree', stride, count: roots.length };
  }
  return { kind: 'additions', additions: missingAdditions(shards, roots) };
}

/** The additions of the tree that are in none of the subtrees, in its order. */
function missingAdditions(shards: number, subtrees: readonly PartRange[]): Addition[] {
  const additions: Addition[] = [];
  for (let distance = 1; distance < shards; distance *= 2) {
    for (let target = 0; target + distance < shards; target += 2 * distance) {
      const end = Math.min(target + 2 * distance, shards);
      const isMade = subtrees.some((subtree) => subtree.first <= target && end <= subtree.end);
      if (!isMade) additions.push({ target, distance });
    }
  }
  return additions;
}
