import { bindKernels, type Kernels } from '../kernels.js';
import { sharedMemory, type WasmModule } from '../webAssembly.js';
import { runDensities } from './densities.js';
import { runDraws } from './draws.js';
import { runLayers } from './layers.js';
import { fillInputs, OUT, SIZE, type Trial } from './memory.js';
import { makeLists, runProducts } from './products.js';
import { runUpdates } from './updates.js';

/** V8 replaces its first code for a function by optimised code after some calls, in the background. */
const CALLS = 60;

/** Milliseconds. */
const PATIENCE = 150;

/**
 * Whether every kernel that V8 may re-vectorise gives the same bits once it is optimised as those of
 * `reference`, the same kernels in a module of which nothing is compiled yet: V8's first code for a function
 * has no 256-bit operations. Takes some 170 milliseconds, which warm the kernels up for all threads.
 */
export function tilesKeepTheirBits(module: WasmModule, reference: WasmModule): boolean {
  const memory = sharedMemory(4);
  const kernels = bindKernels(module, memory);
  const buffer = memory.buffer;
  fillInputs(buffer);
  makeLists(kernels);
  const first = resultsOf(bindKernels(reference, memory), buffer);
  const start = performance.now();
  while (performance.now() - start < PATIENCE) for (let i = 0; i < CALLS; i++) resultsOf(kernels, buffer);
  return Buffer.from(first.buffer).equals(Buffer.from(resultsOf(kernels, buffer).buffer));
}

/** Results of all kernels that V8 may re-vectorise, one behind the other. */
function resultsOf(kernels: Kernels, buffer: ArrayBufferLike): Float32Array {
  const out = new Float32Array(buffer, OUT, SIZE);
  const results: Float32Array[] = [];
  const trial: Trial = { kernels, out, keep: () => results.push(out.slice()) };
  runProducts(trial);
  runUpdates(trial);
  runDensities(trial);
  runLayers(trial);
  runDraws(trial);
  const joined = new Float32Array(results.length * SIZE);
  for (const [i, result] of results.entries()) joined.set(result, i * SIZE);
  return joined;
}
