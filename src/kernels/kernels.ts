import { readFileSync } from 'node:fs';
import { type Kernels, nameArguments } from './bindings.js';
import type { WasmMemory, WasmModule } from './webAssembly.js';

export type { Kernels } from './bindings.js';

/**
 * How a product is added to a sum: `portable` rounds both (same bits on every machine), `fused` rounds once
 * (same bits on every machine that fuses; see platform.ts).
 */
export type Arithmetic = 'portable' | 'fused';

/**
 * Compiles the module of an arithmetic mode. The result may be sent to workers.
 * @param name see `compileNamed`.
 * @param options `shared`: whether the memory that it will be bound to is shared between threads; default
 * true.
 */
export function compileKernels(
  arithmetic: Arithmetic,
  name = 'kernels',
  options: { readonly shared?: boolean } = {},
): WasmModule {
  return compileNamed(kernelBytes(arithmetic, options), name);
}

/** Bytes of the module of an arithmetic mode, for a shared memory by default. */
export function kernelBytes(
  arithmetic: Arithmetic,
  { shared = true }: { readonly shared?: boolean } = {},
): Uint8Array {
  const file = shared ? `./${arithmetic}.wasm` : `./${arithmetic}-unshared.wasm`;
  return readFileSync(new URL(file, import.meta.url));
}

/**
 * @param name written into the bytes: V8 shares code between modules of the same bytes, whatever its flags
 * were.
 */
export function compileNamed(bytes: Uint8Array, name: string): WasmModule {
  return new WebAssembly.Module(Buffer.concat([bytes, customSection(name)]));
}

/** A custom section (id 0) without content. */
function customSection(name: string): Uint8Array {
  const text = Buffer.from(name);
  return Buffer.from([0, text.length + 1, text.length, ...text]);
}

/** Binds the kernels to a memory, shared or not as the module was compiled for. */
export function bindKernels(module: WasmModule, memory: WasmMemory): Kernels {
  return nameArguments(new WebAssembly.Instance(module, { env: { memory } }));
}
