// What declarations say of WebAssembly's objects, by structure. Its own names stand in the DOM library, which
// a user's project for Node need not include, and a package must not declare them for everyone.

/** A compiled WebAssembly.Module: there is nothing in it to read. */
export type WasmModule = object;

/** A WebAssembly.Memory. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}
