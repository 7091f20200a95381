// What declarations say of WebAssembly's objects, by structure. Its own names stand in the DOM library, which
// a user's project for Node need not include, and a package must not declare them for everyone.
import { UsageError } from '../errors.js';

/** A compiled WebAssembly.Module: there is nothing in it to read. */
export type WasmModule = object;

/** A WebAssembly.Memory. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

const ADVICE =
  'Node reserves up to 10 GiB of addresses for each such memory, though it uses few of them: raise the limit of the ' +
  'process (ulimit -v 32000000), or set NODE_OPTIONS=--disable-wasm-trap-handler, which reserves none. Without such a ' +
  'limit, close other programs, or give fewer --workers or a smaller --batch-size.';

/**
 * A shared memory of so many pages of 64 KiB, which cannot grow.
 * @throws UsageError with advice, where the system gives none.
 */
export function sharedMemory(pages: number): WasmMemory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    if (!(error instanceof RangeError) || !error.message.includes('allocate')) throw error;
    throw new UsageError(`${error.message}. ${ADVICE}`, { cause: error });
  }
}
