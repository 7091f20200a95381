// The gradients of several shards, in slots one behind the other, and their sum in the fixed tree.
import type { Address } from '#src/kernels/address.js';
import { add, sampleFloats } from './float32.js';
import { type KernelHarness, wholeVectors } from './kernelHarness.js';

/** Not a NaN, whose sums with itself have its bits. */
const PADDING = -12345;

export interface Slots {
  readonly address: Address;
  /** Bytes from slot to slot. */
  readonly pitch: number;
}

/** Slots with 64 bytes of other numbers behind each; kernels may overwrite them in whole vectors. */
export function placeSlots(harness: KernelHarness, slots: readonly Float32Array[]): Slots {
  const length = wholeVectors(slots[0]!.length);
  const pitch = length + 64;
  const values = new Float32Array((slots.length * pitch) / 4).fill(PADDING);
  slots.forEach((slot, shard) => {
    values.set(slot, (shard * pitch) / 4);
  });
  const address = harness.input(values);
  for (let shard = 0; shard < slots.length; shard++) harness.allow(address + shard * pitch, length);
  return { address, pitch };
}

export function sampleSlots(shards: number, count: number, seed: number): Float32Array[] {
  return Array.from({ length: shards }, (_, shard) => sampleFloats(seed + shard, count));
}

/** The sum of each element. */
export function sumSlots(slots: readonly Float32Array[]): Float32Array {
  return slots[0]!.map((_, i) => tree(slots.map((slot) => slot[i]!)));
}

/** Neighbours are added, then neighbouring sums, and so on; one without a neighbour waits. */
function tree(values: readonly number[]): number {
  if (values.length === 1) return values[0]!;
  const pairs: number[] = [];
  for (let i = 0; i < values.length; i += 2) {
    pairs.push(i + 1 < values.length ? add(values[i]!, values[i + 1]!) : values[i]!);
  }
  return tree(pairs);
}
