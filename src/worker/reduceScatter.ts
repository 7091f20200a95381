import { type Address, plus } from '../kernels/address.js';
import type { Slice, SliceUpdate } from '../optimizer/optimizer.js';
import { SLICE_UNIT } from './runMemory.js';
import { partStart } from './settings.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Addresses of the parameters, of the optimizer's state, and of the gradients of all shards. */
export interface SlotMemory extends Slice {
  /** One gradient a shard, `slotPitch` bytes apart. */
  readonly slots: Address;
  readonly slotPitch: number;
}

/**
 * Updates this rank's slice of the parameters, with the sum of their gradients over all slots.
 * @param parameters in all: a multiple of SLICE_UNIT.
 */
export function reduceScatter(
  optimizer: SliceUpdate,
  memory: SlotMemory,
  { parameters, shards }: { readonly parameters: number; readonly shards: number },
  { rank, ranks }: { readonly rank: number; readonly ranks: number },
): void {
  const units = parameters / SLICE_UNIT;
  const first = partStart(units, ranks, rank) * SLICE_UNIT;
  const count = partStart(units, ranks, rank + 1) * SLICE_UNIT - first;
  const offset = first * FLOAT;
  optimizer.applySum(memory, offset, plus(memory.slots, offset), memory.slotPitch, shards, count);
}
