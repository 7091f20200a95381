import type { PlatformOptions } from '../../kernels/platform.js';
import { findNative, prepareNative } from './native.js';
import { missingPeers, PEERS, requirePeers } from './peers.js';
import type { TfjsBackendName, TfjsRuntime } from './runtime.js';

/**
 * Loads a backend for the calling thread.
 * @param options of our kernels, for wasm.
 * @throws UsageError where a package is missing, with the command that installs it.
 */
export async function loadTfjs(name: TfjsBackendName, options: PlatformOptions): Promise<TfjsRuntime> {
  switch (name) {
    case 'wasm':
      return (await import('./loadWasm.js')).loadWasm(options);
    case 'native':
      return (await import('./loadNative.js')).loadTensorflow();
    case 'cpu':
      return (await import('./loadCpu.js')).loadCpu();
  }
}

/**
 * For the main thread, before workers load the backend.
 * @throws UsageError where a package is missing, with the command that installs it.
 */
export function prepareTfjs(name: TfjsBackendName): void {
  if (name === 'native') prepareNative();
  else requirePeers(name);
}

/** Whether what the backend needs is installed. */
export function hasTfjs(name: TfjsBackendName): boolean {
  return name === 'native' ? findNative() !== undefined : missingPeers(PEERS[name]).length === 0;
}
