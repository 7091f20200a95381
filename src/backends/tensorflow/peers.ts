import { createRequire } from 'node:module';
import { UsageError } from '../../errors.js';
import type { TfjsBackendName } from './runtime.js';

const require = createRequire(import.meta.url);

/** The optional packages that a backend needs. */
export const PEERS = {
  wasm: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-backend-wasm'],
  cpu: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
} as const satisfies Partial<Record<TfjsBackendName, readonly string[]>>;

/** Those of `names` that are not installed where this package can find them. */
export function missingPeers(names: readonly string[]): string[] {
  return names.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}

/** @throws UsageError with the command that installs what is missing. */
export function requirePeers(backend: keyof typeof PEERS, missing = missingPeers(PEERS[backend])): void {
  if (missing.length === 0) return;
  throw new UsageError(
    `The ${backend} backend needs ${missing.join(' and ')}, not installed here. Install what it needs with ` +
      `"npm install ${PEERS[backend].map((name) => `${name}@4.22.0`).join(' ')}", or take the backend simd.`,
  );
}

/** The file that a package is loaded from. */
export function peerFile(name: string): string {
  return require.resolve(name);
}
