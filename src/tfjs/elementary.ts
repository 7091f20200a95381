// Functions of one operand that stock TensorFlow.js computes one number at a time.

import type { Kernels } from '../kernels/kernels.js';
import { sizeOf } from './host.js';
import type { TrainingKernel } from './trainingKernel.js';

type UnaryName = Extract<keyof Kernels, `map${string}`>;

function unary(kernelName: string, name: UnaryName): TrainingKernel {
  return {
    kernelName,
    run({ host, inputs: { x } }) {
      if (x?.dtype !== 'float32') return undefined;
      const out = host.output(x.shape);
      host.kernels[name](host.address(x), out.address, sizeOf(x.shape));
      return out.tensor;
    },
  };
}

export const ELEMENTARY: readonly TrainingKernel[] = [
  unary('Exp', 'mapExp'),
  unary('Expm1', 'mapExpm1'),
  unary('Log', 'mapLog'),
  unary('Log1p', 'mapLog1p'),
  unary('Reciprocal', 'mapReciprocal'),
  unary('Rsqrt', 'mapRsqrt'),
  unary('Softplus', 'mapSoftplus'),
  unary('Sqrt', 'mapSqrt'),
  unary('Tanh', 'mapTanh'),
];
