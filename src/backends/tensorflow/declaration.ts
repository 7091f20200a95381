import { revectorizesTfjs } from '../../kernels/platform.js';
import type { BackendDeclaration, BackendFactory } from '../declaration.js';
import { TfjsBackend } from './backend.js';
import { hasTfjs, loadTfjs, prepareTfjs } from './load.js';
import { mostTfjsParts } from './parts.js';
import type { TfjsBackendName, TfjsRuntime } from './runtime.js';

/** What TensorFlow.js's backends differ in. */
type Differences = Pick<
  BackendDeclaration,
  'title' | 'promisesBits' | 'benchmarked' | 'allowsRevectorization'
>;

/** TensorFlow.js's WebAssembly, with our training kernels. */
export const wasm = declare('wasm', {
  title: 'gradients by TensorFlow.js on wasm with these kernels',
  promisesBits: true,
  benchmarked: 'default mode',
  allowsRevectorization: revectorizesTfjs,
});

/** TensorFlow's C library, by tfjs-node. */
export const native = declare('native', {
  title: 'gradients by tfjs-node, the rest by simd kernels',
  promisesBits: false,
  benchmarked: 'default mode',
  allowsRevectorization: () => true,
});

/** Plain JavaScript. */
export const cpu = declare('cpu', {
  title: 'gradients by TensorFlow.js in JavaScript, the rest by simd kernels',
  promisesBits: true,
  benchmarked: 'never',
  allowsRevectorization: () => true,
});

function declare(name: TfjsBackendName, differences: Differences): BackendDeclaration {
  return {
    ...differences,
    interruptible: false,
    estimators: 'reparameterized',
    inferences: 'variational',
    isInstalled: () => hasTfjs(name),
    prepare: () => prepareTfjs(name),
    plan: ({ model, samples, batchSize, shards }) => ({
      owned: false,
      mostParts: mostTfjsParts(name, model, samples, Math.ceil(batchSize / shards)),
    }),
    // TensorFlow.js has memory of its own.
    memory: () => ({ packed: 0, workspace: 0 }),
    load: async (options) => tfjsOfRank(await loadTfjs(name, options)),
  };
}

function tfjsOfRank(runtime: TfjsRuntime): BackendFactory {
  return ({ memory, model, samples, kl, objective, likelihood, slice: { parameters } }) =>
    new TfjsBackend(runtime, memory.buffer, { model, samples, kl, objective, likelihood, parameters });
}
