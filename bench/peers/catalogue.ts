import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findNative } from '#src/backends/tensorflow/native.js';
import { familyByName, findLibraries, launchersOf } from '#src/collective/mpi/findLibraries.js';
import { UsageError } from '#src/errors.js';
import { launchLine } from '#src/setup/mpi.js';
import type { Case } from './cases.js';
import type { PeerCommand } from './peerProcess.js';

/** Something that computes the training step. */
export interface Peer {
  /** e.g. `pytorch-compiled-2`: the number is that of threads or processes. */
  readonly name: string;
  /** How to start it, or why it is not here. */
  command(problem: Case, directory: string): PeerCommand | { readonly absent: string };
}

/** All the cores that a peer may use. */
export const CORES = Math.min(availableParallelism(), 8);

/** The peer against which ratios are given. */
export const LOWERBOUND = `lowerbound-${CORES}`;

/** All peers; those of lowerbound first. */
export function allPeers(): readonly Peer[] {
  return [
    ...counts().map(lowerbound),
    lowerboundProcesses,
    ...counts().map((threads) => pytorch(`eager-${threads}`, ['--threads', String(threads)])),
    ...counts().map((threads) => pytorch(`compiled-${threads}`, ['--compile', '--threads', String(threads)])),
    pytorch('ddp-2', ['--processes', '2']),
    ...counts().map(jax),
    ...counts().map(jaxJs),
    tfjs('tfjs-wasm', 'wasm', {}),
    tfjs('tfjs-wasm-kernels', 'kernels', {}),
    tfjs('tfjs-node-1', 'node', { TF_NUM_INTRAOP_THREADS: '1' }),
    tfjs('tfjs-node-default', 'node', {}),
  ];
}

/**
 * The peers whose names begin with one of `only`, or all; those of lowerbound in one process in any case.
 * @throws UsageError where a beginning fits no peer.
 */
export function chosenPeers(only: readonly string[] | undefined): readonly Peer[] {
  const peers = allPeers();
  if (only === undefined) return peers;
  for (const start of only) {
    if (!peers.some(({ name }) => name.startsWith(start))) {
      throw new UsageError(
        `No peer's name begins with ${JSON.stringify(start)}; peers are ${peers.map(({ name }) => name).join(', ')}.`,
      );
    }
  }
  return peers.filter(
    ({ name }) => /^lowerbound-\d/.test(name) || only.some((start) => name.startsWith(start)),
  );
}

/** One thread, and one a core. */
function counts(): number[] {
  return CORES > 1 ? [1, CORES] : [1];
}

function lowerbound(workers: number): Peer {
  return {
    name: `lowerbound-${workers}`,
    command: ({ name, inference }, directory) => {
      const file = compiled(inference === undefined ? 'lowerboundPeer.js' : 'lowerboundInferencePeer.js');
      return { program: process.execPath, args: [file, name, String(workers), directory] };
    },
  };
}

/** Two processes of one thread, by the first MPI library that has a launcher here. */
const lowerboundProcesses: Peer = {
  name: 'lowerbound-mpi-2',
  command: ({ name, inference }) => {
    if (inference !== undefined) return TRAINS_ALONE;
    for (const library of findLibraries()) {
      const family = familyByName(library.path);
      const [program] = launchersOf(library, family);
      if (program === undefined) continue;
      const [launcher, ...args] = launchLine({ program, family }, 2) as [string, ...string[]];
      const script = [compiled('lowerboundProcessesPeer.js'), name, library.path];
      return { program: launcher, args: [...args, process.execPath, ...script] };
    }
    return { absent: 'no MPI library with a launcher was found: npx lowerbound setup mpi' };
  },
};

function pytorch(variant: string, args: readonly string[]): Peer {
  return {
    name: `pytorch-${variant}`,
    command: ({ inference }, directory) => {
      if (inference === undefined) {
        return python('LOWERBOUND_TORCH_PYTHON', 'pytorch_peer.py', directory, args);
      }
      if (variant.startsWith('ddp')) return TRAINS_ALONE;
      return python('LOWERBOUND_TORCH_PYTHON', 'pytorch_inference_peer.py', directory, args);
    },
  };
}

const TRAINS_ALONE = { absent: 'it has no program for inference' };

function jax(threads: number): Peer {
  const args = ['--threads', String(threads)];
  return {
    name: `jax-${threads}`,
    command: ({ inference }, directory) =>
      inference === undefined
        ? python('LOWERBOUND_JAX_PYTHON', 'jax_peer.py', directory, args)
        : TRAINS_ALONE,
  };
}

/** As shipped, which is one thread in Node; more through a shim for the `Worker` that Node lacks. */
function jaxJs(threads: number): Peer {
  return {
    name: threads === 1 ? 'jax-js' : `jax-js-shim-${threads}`,
    command: ({ inference }, directory) => {
      if (inference !== undefined) return TRAINS_ALONE;
      return { program: process.execPath, args: [compiled('jaxJsPeer.js'), directory, String(threads)] };
    },
  };
}

function python(variable: string, script: string, directory: string, args: readonly string[]) {
  const program = process.env[variable];
  if (program === undefined) return { absent: `${variable} is not set` };
  if (!existsSync(program)) return { absent: `${variable} names no file` };
  return { program, args: [source(script), '--problem', directory, ...args] };
}

/**
 * TensorFlow.js as it comes (`wasm`), with our training kernels (`kernels`), or on TensorFlow's C library
 * (`node`).
 */
function tfjs(
  name: string,
  backend: 'wasm' | 'kernels' | 'node',
  env: Readonly<Record<string, string>>,
): Peer {
  return {
    name,
    command: ({ inference }, directory) => {
      if (inference !== undefined) return TRAINS_ALONE;
      if (backend === 'node' && findNative() === undefined) {
        return { absent: 'tfjs-node is not installed: npx lowerbound setup native' };
      }
      return { program: process.execPath, args: [source('tfjs_peer.mjs'), backend, directory], env };
    },
  };
}

function compiled(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}

/** Peers in other languages stay in the source tree: nothing compiles them. */
function source(script: string): string {
  return fileURLToPath(new URL(`../../../bench/peers/${script}`, import.meta.url));
}
