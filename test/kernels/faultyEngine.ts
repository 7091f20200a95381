// An engine whose code for one kernel changes a bit after some calls, as wrongly optimised code would.
import type { Kernels } from '#src/kernels/kernels.js';

/**
 * Which argument is the address of a result, for each kernel that the self-test runs besides the products.
 */
export const RESULT_ARGUMENT = {
  adam: 0,
  addFloats: 2,
  averageFloats: 0,
  averagePoolBackward: 3,
  averagePoolForward: 3,
  bernoulli: 6,
  binarize: 6,
  columnSums: 3,
  gaussianBackward: 4,
  gaussianBackwardEstimated: 7,
  gaussianBackwardWeighted: 5,
  gaussianForward: 2,
  gaussianLikelihood: 7,
  gaussianLogRatios: 6,
  gaussianLogWeightGradient: 5,
  geluBackward: 2,
  geluForward: 1,
  leakyReluBackward: 1,
  leakyReluForward: 0,
  maxPoolBackward: 4,
  maxPoolForward: 3,
  randomBits: 0,
  randomNormal: 0,
  randomUniform: 0,
  reduceAdam: 0,
  reduceSgd: 0,
  reluBackward: 1,
  reluForward: 0,
  scaleFloats: 0,
  scaleRows: 0,
  sgd: 0,
  sigmoidArray: 1,
  sigmoidBackward: 1,
  sigmoidForward: 0,
  siluBackward: 2,
  siluForward: 1,
  tanhBackward: 1,
  tanhForward: 0,
  treeReduce: 0,
  upsampleBackward: 3,
  upsampleForward: 3,
} as const satisfies Partial<Record<keyof Kernels, number>>;

/** The kernels that the self-test runs. */
export type FaultyKernel =
  | keyof typeof RESULT_ARGUMENT
  | (keyof Kernels &
      (
        | 'gemmDot4'
        | `gemm${string}x${string}`
        | `filterGradient${string}`
        | `treeGradient${string}`
        | `sumRows${string}`
      ));

export function isSelfTested(kernel: keyof Kernels): kernel is FaultyKernel {
  return kernel in RESULT_ARGUMENT || /^(gemm|filterGradient|treeGradient|sumRows)/.test(kernel);
}

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

/** Index of the first float of a result. */
function firstResult(kernel: FaultyKernel, args: readonly number[], words: Uint32Array): number {
  if (kernel in RESULT_ARGUMENT) return args[RESULT_ARGUMENT[kernel as keyof typeof RESULT_ARGUMENT]]! / 4;
  if (kernel.startsWith('sumRows')) return args[3]! / 4;
  if (kernel.startsWith('gemmTransposed')) return args[7]! / 4;
  if (kernel.startsWith('filterGradient') || kernel.startsWith('treeGradient')) return args[2]! / 4;
  return (args[9]! + words[args[10]! / 4]!) / 4;
}
