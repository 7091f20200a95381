import { type AdamUpdate, adamArguments } from '../backends/backend.js';
import { type Address, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { SLICE_UNIT } from './runMemory.js';
import { partStart } from './settings.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Addresses of the parameters, of Adam's moments, and of the gradients of all shards. */
export interface SlotMemory {
  readonly parameters: Address;
  readonly adamM: Address;
  readonly adamV: Address;
  /** One gradient a shard, `slotPitch` bytes apart. */
  readonly slots: Address;
  readonly slotPitch: number;
}

/**
 * Adam on this rank's slice of the parameters, with the sum of their gradients over all slots.
 * @param parameters in all: a multiple of SLICE_UNIT.
 */
export function reduceScatter(
  kernels: Kernels,
  memory: SlotMemory,
  { parameters, shards }: { readonly parameters: number; readonly shards: number },
  { rank, ranks }: { readonly rank: number; readonly ranks: number },
  adam: AdamUpdate,
): void {
  const units = parameters / SLICE_UNIT;
  const first = partStart(units, ranks, rank) * SLICE_UNIT;
  const count = partStart(units, ranks, rank + 1) * SLICE_UNIT - first;
  const offset = first * FLOAT;
  kernels.reduceAdam({
    parameters: plus(memory.parameters, offset),
    m: plus(memory.adamM, offset),
    v: plus(memory.adamV, offset),
    slots: plus(memory.slots, offset),
    pitch: memory.slotPitch,
    shards,
    count,
    ...adamArguments(adam),
  });
}
