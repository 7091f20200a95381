// An engine whose code for one kernel changes a bit after some calls, as wrongly optimised code would.
import type { Kernels } from '#src/kernels/kernels.js';

/** The kernels that the self-test runs. */
export type FaultyKernel = keyof Kernels &
  (
    | `gemm${string}x${string}`
    | `filterGradient${string}`
    | `treeGradient${string}`
    | `sumRows${string}`
    | 'adam'
    | 'addFloats'
    | 'bernoulli'
    | 'columnSums'
    | 'gaussianBackwardWeighted'
    | 'gaussianLikelihood'
    | 'gaussianLogRatios'
    | `${'sigmoid' | 'leakyRelu' | 'gelu' | 'silu'}${'Forward' | 'Backward'}`
    | 'reduceAdam'
    | 'reduceSgd'
    | 'reluBackward'
    | 'scaleFloats'
    | 'scaleRows'
    | 'sgd'
    | 'sigmoidArray'
    | 'tanhBackward'
    | 'tanhForward'
  );

/**
 * Lets instances of any module, from now on, flip the last bit of the first result of `kernel` after `calls`
 * right calls. Returns what ends it.
 */
export function injectFault(kernel: FaultyKernel, calls: number): () => void {
  const { Instance } = WebAssembly;
  function FaultyInstance(module: WebAssembly.Module, imports: { env: { memory: WebAssembly.Memory } }) {
    const exports = { ...new Instance(module, imports).exports };
    const right = exports[kernel] as (...args: number[]) => void;
    const words = new Uint32Array(imports.env.memory.buffer);
    let count = 0;
    exports[kernel] = (...args: number[]) => {
      right(...args);
      if (++count > calls) words[firstResult(kernel, args, words)]! ^= 1;
    };
    return { exports };
  }
  Reflect.set(WebAssembly, 'Instance', FaultyInstance);
  return () => Reflect.set(WebAssembly, 'Instance', Instance);
}

/** Index of the first float of a result: the address is another argument in each kernel. */
function firstResult(kernel: FaultyKernel, args: readonly number[], words: Uint32Array): number {
  if (['adam', 'sgd', 'reduceAdam', 'reduceSgd', 'scaleFloats'].includes(kernel)) return args[0]! / 4;
  if (kernel === 'scaleRows') return args[0]! / 4;
  if (kernel === 'gaussianBackwardWeighted') return args[5]! / 4;
  if (kernel === 'gaussianLogRatios') return args[6]! / 4;
  if (kernel === 'gaussianLikelihood') return args[7]! / 4;
  if (['tanhForward', 'sigmoidForward', 'leakyReluForward'].includes(kernel)) return args[0]! / 4;
  if (['geluBackward', 'siluBackward', 'addFloats'].includes(kernel)) return args[2]! / 4;
  if (kernel === 'bernoulli') return args[6]! / 4;
  if (kernel === 'sigmoidArray' || kernel.endsWith('Backward')) return args[1]! / 4;
  if (kernel === 'geluForward' || kernel === 'siluForward') return args[1]! / 4;
  if (kernel === 'columnSums' || kernel.startsWith('sumRows')) return args[3]! / 4;
  if (kernel.startsWith('gemmTransposed')) return args[7]! / 4;
  if (kernel.startsWith('filterGradient') || kernel.startsWith('treeGradient')) return args[2]! / 4;
  return (args[9]! + words[args[10]! / 4]!) / 4;
}
