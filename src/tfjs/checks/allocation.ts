// The last defence against sizes that no check has refused. TensorFlow.js passes any number to the
// allocator, which takes it modulo 2^32, and goes on at address 0 where there was no memory.

import type { WasmBackend } from '../tensorflow.js';

const ADDRESSABLE = 2 ** 32;

type Allocator = WasmBackend['wasm']['_malloc'];

const guarded = new WeakSet<Allocator>();

/** Lets the backend's allocator throw where it cannot give what was asked for. */
export function guardAllocation(wasm: WasmBackend['wasm']): void {
  if (guarded.has(wasm._malloc)) return;
  // The first call replaces the function: a stub of Emscripten's.
  wasm._free(wasm._malloc(1));
  const allocate = wasm._malloc;
  const guard: Allocator = (bytes) => {
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes < ADDRESSABLE)) {
      throw new Error(
        `A tensor of ${bytes} bytes cannot be made in the memory of TensorFlow.js's wasm backend, which holds 4 GiB: ` +
          'a size is not a whole number from 0 on, or too large.',
      );
    }
    const address = allocate(bytes);
    if (address === 0 && bytes > 0) {
      throw new Error(
        `The memory of TensorFlow.js's wasm backend is full: ${bytes} bytes could not be had. ` +
          'Dispose of tensors (tf.tidy, tf.dispose) or use smaller batches.',
      );
    }
    return address;
  };
  guarded.add(guard);
  wasm._malloc = guard;
}
