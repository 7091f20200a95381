// V8's flags and code hold for a process: platforms are compared in processes of their own.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Kernels } from '#src/kernels/kernels.js';
import type { Platform, PlatformOptions } from '#src/kernels/platform.js';
import type { FaultyKernel } from './faultyEngine.js';

export interface Task {
  readonly options: PlatformOptions;
  /** A kernel that changes a bit after some calls. */
  readonly fault?: FaultyKernel;
  /** Whether to run every kernel. */
  readonly digests?: boolean;
  /** Whether to look what the self-test left unoptimised. */
  readonly selfTest?: boolean;
}

export interface Report {
  readonly canFuse: boolean;
  readonly platform: Omit<Platform, 'module'> | undefined;
  readonly error: { readonly name: string; readonly message: string } | undefined;
  /** Whether the micro-kernel of 6×8 was optimised before its first call. */
  readonly optimizedAtOnce: boolean;
  /** The same of the kernels for a memory that is not shared. */
  readonly unsharedOptimizedAtOnce: boolean;
  /** The same of a module that was compiled after the platform's. */
  readonly laterOptimizedAtOnce: boolean;
  /** What each kernel computes in the engine's optimised code. */
  readonly digests: Partial<Record<keyof Kernels, string>>;
  /** Kernels that the engine did not optimise in time. */
  readonly unoptimized: readonly (keyof Kernels)[];
  /** Kernels of the self-test that its calls alone did not get optimised. */
  readonly unoptimizedBySelfTest: readonly (keyof Kernels)[];
}

/** @param flags of Node and V8. */
export async function platformInProcess(task: Task, flags: readonly string[] = []): Promise<Report> {
  const child = fileURLToPath(new URL('platformChild.js', import.meta.url));
  const args = ['--allow-natives-syntax', ...flags, child, JSON.stringify(task)];
  const { stdout } = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await text(stdout)) as Report;
}
