import type { Address } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { Purpose, type RandomKey } from '../kernels/stream.js';

/**
 * Fills `order` with the epoch's permutation of 0 … n − 1: Fisher and Yates's shuffle of the identity with
 * the epoch's random words, a pure function of (key, epoch, n). Word u picks floor(u · (i + 1) / 2³²); its
 * bias is below n / 2³².
 *
 * @param bits address of room for n u32, rounded up to sixteen.
 */
export function epochOrder(
  kernels: Kernels,
  buffer: ArrayBufferLike,
  order: Uint32Array,
  bits: Address,
  key: RandomKey,
  epoch: number,
): void {
  const n = order.length;
  kernels.randomBits({
    out: bits,
    count: n,
    key0: key.low,
    key1: key.high,
    position: 0,
    step: epoch,
    purpose: Purpose.epochOrder,
  });
  const words = new Uint32Array(buffer, bits, n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((words[i]! * (i + 1)) / 2 ** 32);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
}
