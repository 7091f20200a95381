// Operations that are constant almost everywhere: comparisons, and what is made of them.

import { filled, type MendedGradient, type Run } from './composition.js';
import type { GradientConfig, TensorInfo } from './tensorflow.js';

const OF_TWO = ['Greater', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr', 'LogicalXor'];
const OF_ONE = ['LogicalNot', 'Any', 'All'];

/** Without them a layer `thresholdedReLU`, x · [x > θ], has no gradient. */
export function zeroGradients(run: Run): readonly GradientConfig[] {
  const of = (kernelName: string, inputs: readonly string[]): GradientConfig => ({
    kernelName,
    inputsToSave: inputs,
    gradFunc: (_, saved) =>
      Object.fromEntries(inputs.map((name, i) => [name, () => filled(run, saved[i]?.shape ?? [], 0)])),
  });
  return [...OF_TWO.map((name) => of(name, ['a', 'b'])), ...OF_ONE.map((name) => of(name, ['x']))];
}

/** The gradient of ⌊a / b⌋, for which tfjs-core has the gradient of a / b. */
export function floorDivisionGradient(run: Run): MendedGradient {
  return (_, saved) => {
    const [a, b] = saved as [TensorInfo, TensorInfo];
    return { a: () => filled(run, a.shape, 0), b: () => filled(run, b.shape, 0) };
  };
}
