import { readFileSync } from 'node:fs';
import type { Address, Quantity } from '#src/kernels/address.js';
import type { Arithmetic } from '#src/kernels/kernels.js';

/**
 * The functions of bench/assembly/probes.ts, where each is documented: no kernel of the product, and in no
 * file of the package.
 */
export interface Probes {
  peakProbe(rounds: Quantity, factor: Quantity, out: Address): void;
  widePeakProbe(rounds: Quantity, factor: Quantity, out: Address): void;
  log1pArray(x: Address, out: Address, count: Quantity): void;
}

/** Bytes of the probes' module: `npm run build:tests` makes it. */
export function probeBytes(arithmetic: Arithmetic): Uint8Array {
  return readFileSync(new URL(`../kernels/probes-${arithmetic}.wasm`, import.meta.url));
}

/** Binds the probes to a shared memory. */
export function bindProbes(module: WebAssembly.Module, memory: WebAssembly.Memory): Probes {
  // The module is built together with this interface.
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Probes;
}
