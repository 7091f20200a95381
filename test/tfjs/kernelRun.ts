import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from './gradientCases.js';
import type { KernelCall, Operand } from './kernelCalls.js';

export interface Result {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: readonly (number | string)[];
}

export type Outcome =
  | { readonly results: readonly Result[] }
  | {
      readonly error: Error /** Not an exception of JavaScript or WebAssembly. */;
      readonly sentence: boolean;
    };

/** Runs a kernel by its name on the backend that is set, without tfjs-core's checks before it. */
export function runCall(tf: Tf, kernel: string, call: KernelCall): Outcome & { readonly changed: boolean } {
  return withTensors(tf, call, (tensors) => {
    const before = Object.values(tensors).map(bitsOf);
    const outcome = attempt(tf, kernel, tensors, call.attrs);
    const changed = Object.values(tensors).some((tensor, i) => bitsOf(tensor) !== before[i]);
    return { ...outcome, changed };
  });
}

function withTensors<T>(tf: Tf, call: KernelCall, run: (tensors: Record<string, Tensor> | Tensor[]) => T): T {
  const { inputs } = call;
  const tensors = Array.isArray(inputs)
    ? (inputs as readonly Operand[]).map((operand, i) => tensorOf(tf, operand, i))
    : Object.fromEntries(
        Object.entries(inputs).map(([name, operand], i) => [name, tensorOf(tf, operand, i)]),
      );
  try {
    return run(tensors);
  } finally {
    tf.dispose(tensors);
  }
}

function attempt(
  tf: Tf,
  kernel: string,
  tensors: Record<string, Tensor> | Tensor[],
  attrs: KernelCall['attrs'],
): Outcome {
  const { engine } = tf;
  let outputs: Tensor[] = [];
  try {
    outputs = [
      // A copy: the backend cpu changes sizes of splits where they stand.
      engine().runKernel(kernel, tensors as Record<string, Tensor>, structuredClone(attrs) as NamedAttrMap),
    ].flat() as Tensor[];
    const results = outputs.map((tensor) => ({
      shape: [...tensor.shape],
      dtype: tensor.dtype,
      values: [...tensor.dataSync()] as (number | string)[],
    }));
    return { results };
  } catch (error) {
    // Neither TypeError nor RangeError nor WebAssembly.RuntimeError.
    const sentence = error instanceof Error && error.constructor === Error;
    return { error: error instanceof Error ? error : new Error(String(error)), sentence };
  } finally {
    tf.dispose(outputs);
  }
}

function tensorOf(tf: Tf, operand: Operand, seed: number): Tensor {
  const count = operand.shape.reduce((product, size) => product * size, 1);
  const values =
    operand.values ?? Array.from({ length: count }, (_, i) => drawn(operand.dtype, i + 17 * seed));
  return tf.tensor(values as number[], [...operand.shape], operand.dtype);
}

/** No two floats are the same: the largest of them is one alone. */
function drawn(dtype: string, at: number): number | string {
  const bits = Math.imul(at + 1, 0x9e3779b1) >>> 0;
  if (dtype === 'float32') return Math.fround(bits / 2 ** 31 - 1);
  if (dtype === 'bool') return (bits >>> 16) % 2;
  return dtype === 'string' ? `word ${bits % 11}` : (bits >>> 16) % 3;
}

function bitsOf(tensor: Tensor): string {
  const data = tensor.dataSync() as ArrayLike<number> | string[];
  return Array.isArray(data)
    ? data.join('\n')
    : Buffer.from(new Uint8Array((data as Float32Array).buffer)).toString('latin1');
}
