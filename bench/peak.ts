// The machine's own limits, probed in this process: multiply-adds that never leave the registers, and copies.

import { addressOf, NONE } from '#src/kernels/address.js';
import { bindKernels, type Kernels } from '#src/kernels/kernels.js';
import { compileLike, type Platform } from '#src/kernels/platform.js';
import { bindProbes, type Probes, probeBytes } from './probes.js';

/** Short calls: V8 replaces a function by its optimised code between calls, never within one. */
const ROUNDS = 4_000;
const CALLS = 250;
const WARM_CALLS = 400;

/** Floating-point operations of a round. */
const NARROW = 64;
const WIDE = 192;

const PAGE = 65536;

/** GFLOP/s of one core, of a module compiled as the platform's kernels are. */
export class PeakProbe {
  readonly #probes: Probes;

  constructor(platform: Platform) {
    // A memory of its own: the probes write.
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    this.#probes = bindProbes(compileLike(platform, probeBytes(platform.arithmetic)), memory);
    this.#calls('peakProbe', WARM_CALLS);
    this.#calls('widePeakProbe', WARM_CALLS);
  }

  /** The better of 128-bit and 256-bit operations: about 10 ms. */
  measure(): number {
    const narrow = (NARROW * ROUNDS * CALLS) / this.#calls('peakProbe', CALLS) / 1e6;
    const wide = (WIDE * ROUNDS * CALLS) / this.#calls('widePeakProbe', CALLS) / 1e6;
    return Math.max(narrow, wide);
  }

  /** Milliseconds. */
  #calls(probe: 'peakProbe' | 'widePeakProbe', calls: number): number {
    const kernel = this.#probes[probe];
    const start = performance.now();
    for (let i = 0; i < calls; i++) kernel(ROUNDS, 0.5, NONE);
    return performance.now() - start;
  }
}

const LARGEST_COPY = 2 ** 28;
const SMALLEST_COPY = 2 ** 12;
/** Between source and target, beside their size: loads wait for stores to the same place of another page. */
const SKEW = 2048;
const COPY_TIME = 20;
const COPY_ROUNDS = 5;

/**
 * GB/s, read and written, of the kernel that copies floats: what any kernel on as many bytes can hope for.
 */
export class CopyProbe {
  readonly #kernels: Kernels;
  readonly #measured = new Map<number, number>();

  constructor(module: WebAssembly.Module) {
    const pages = LARGEST_COPY / PAGE + 1;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    // Pages that were never written are all the same one.
    new Uint8Array(memory.buffer).fill(1);
    this.#kernels = bindKernels(module, memory);
    for (let i = 0; i < COPY_ROUNDS; i++) this.#rate(SMALLEST_COPY);
  }

  /**
   * The bandwidth of copies that read and write about as many bytes in all, so that they stay in the same
   * caches.
   */
  bandwidth(bytes: number): number {
    const size = 2 ** Math.round(Math.log2(Math.min(Math.max(bytes, SMALLEST_COPY), LARGEST_COPY)));
    let rate = this.#measured.get(size);
    if (rate === undefined) {
      rate = Math.max(...Array.from({ length: COPY_ROUNDS }, () => this.#rate(size)));
      this.#measured.set(size, rate);
    }
    return rate;
  }

  /** The bandwidth of main memory, or of the last cache where that is larger than 256 MiB. */
  get memoryBandwidth(): number {
    return this.bandwidth(LARGEST_COPY);
  }

  #rate(size: number): number {
    let copies = 0;
    const start = performance.now();
    let time = 0;
    while (time < COPY_TIME) {
      for (let i = 0; i < 4; i++) this.#copy(size);
      copies += 4;
      time = performance.now() - start;
    }
    return (copies * size) / time / 1e6;
  }

  #copy(size: number): void {
    this.#kernels.copyFloats(NONE, addressOf(size / 2 + SKEW), size / 2 / Float32Array.BYTES_PER_ELEMENT);
  }
}
