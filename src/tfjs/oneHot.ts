import { sizeOf } from './host.js';
import type { TrainingKernel } from './trainingKernel.js';

/**
 * Stock TensorFlow.js writes int32 numbers whatever the dtype: a float32 result is almost zero, and of a bool
 * one it overwrites the memory behind.
 */
export const ONE_HOT: TrainingKernel = {
  kernelName: 'OneHot',
  run({ host, inputs: { indices }, attrs }) {
    const dtype = attrs.dtype as string | undefined;
    if (indices?.dtype !== 'int32' || (dtype !== 'float32' && dtype !== 'bool')) return undefined;
    const depth = attrs.depth as number;
    const count = sizeOf(indices.shape);
    const { tensor, address } = host.output([...indices.shape, depth], dtype);
    const from = host.address(indices);
    const picked = new Int32Array(host.heap.memory.buffer, from, count);
    const out =
      dtype === 'bool'
        ? new Uint8Array(host.heap.memory.buffer, address, count * depth)
        : host.floats(address, count * depth);
    out.fill(attrs.offValue as number);
    picked.forEach((index, row) => {
      if (index >= 0 && index < depth) out[row * depth + index] = attrs.onValue as number;
    });
    return tensor;
  },
};
