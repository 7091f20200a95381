// Extremes and comparisons of two operands, choices, and what booleans need: one number at a time in stock
// TensorFlow.js.

import { plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { type Broadcast, broadcast } from './broadcast.js';
import { sizeOf } from './host.js';
import type { TrainingKernel } from './trainingKernel.js';

type BroadcastName = Extract<keyof Kernels, `broadcast${string}`>;

function binary(kernelName: string, name: BroadcastName, dtype: 'float32' | 'bool'): TrainingKernel {
  return {
    kernelName,
    run({ host, inputs: { a, b } }) {
      if (a?.dtype !== 'float32' || b?.dtype !== 'float32') return undefined;
      const plan = host.plan(`broadcast ${a.shape} and ${b.shape}`, (arena) => {
        const merged = broadcast(a.shape, b.shape);
        return { ...merged, table: arena.table(tableOf(merged)), size: sizeOf(merged.extents) };
      });
      const out = host.output(plan.shape, dtype);
      if (sizeOf(plan.shape) === 0) return out.tensor;
      const outBytes = plan.size * (dtype === 'bool' ? 1 : Float32Array.BYTES_PER_ELEMENT);
      const [aAt, bAt] = [host.address(a), host.address(b)];
      plan.blocks.forEach((block, i) => {
        const [aBlock, bBlock] = [plus(aAt, bytesOf(block.a)), plus(bAt, bytesOf(block.b))];
        host.kernels[name](plan.table, aBlock, bBlock, plus(out.address, i * outBytes));
      });
      return out.tensor;
    },
  };
}

/** As src/kernels/assembly/binary.ts reads it. */
function tableOf({ extents, aSteps, bSteps }: Broadcast): number[] {
  return [...extents, ...aSteps.map(bytesOf), ...bSteps.map(bytesOf)];
}

function bytesOf(elements: number): number {
  return elements * Float32Array.BYTES_PER_ELEMENT;
}

const select: TrainingKernel = {
  kernelName: 'Select',
  run({ host, inputs: { condition, t, e } }) {
    if (condition?.dtype !== 'bool' || t === undefined || e?.dtype !== t.dtype) return undefined;
    const size = sizeOf(t.shape);
    const words = t.dtype === 'float32' || t.dtype === 'int32';
    // A condition for each row is left to the kernel that was there.
    if (!words || sizeOf(condition.shape) !== size || sizeOf(e.shape) !== size) return undefined;
    const out = host.output(t.shape, t.dtype);
    const at = host.address(condition);
    host.kernels.selectWords(at, host.address(t), host.address(e), size, out.address);
    return out.tensor;
  },
};

function logical(kernelName: string, name: 'andBytes' | 'orBytes'): TrainingKernel {
  return {
    kernelName,
    run({ host, inputs: { a, b } }) {
      if (a?.dtype !== 'bool' || b?.dtype !== 'bool' || `${a.shape}` !== `${b.shape}`) return undefined;
      const out = host.output(a.shape, 'bool');
      host.kernels[name](host.address(a), host.address(b), sizeOf(a.shape), out.address);
      return out.tensor;
    },
  };
}

export const COMPARISONS: readonly TrainingKernel[] = [
  binary('Maximum', 'broadcastMaximum', 'float32'),
  binary('Minimum', 'broadcastMinimum', 'float32'),
  binary('Greater', 'broadcastGreater', 'bool'),
  binary('GreaterEqual', 'broadcastGreaterEqual', 'bool'),
  binary('Less', 'broadcastLess', 'bool'),
  binary('LessEqual', 'broadcastLessEqual', 'bool'),
  binary('Equal', 'broadcastEqual', 'bool'),
  binary('NotEqual', 'broadcastNotEqual', 'bool'),
  select,
  logical('LogicalAnd', 'andBytes'),
  logical('LogicalOr', 'orBytes'),
];
