import type { Tensor } from '@tensorflow/tfjs-core';
import type { GradientCase, InputSpec, Tf } from './gradientCases.js';

/** Values of a spec: the same in every run, different for each `seed`. */
export function valuesOf(spec: InputSpec, seed: number): number[] {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const count = spec.shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, () => {
    // Numerical Recipes' linear congruence; its high bits are good enough for test data.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = spec.low + (spec.high - spec.low) * ((state >>> 8) / 2 ** 24);
    return spec.kind === 'real' ? Math.fround(value) : Math.floor(value);
  });
}

export function tensorOf(tf: Tf, spec: InputSpec, seed: number): Tensor {
  const dtype = { real: 'float32', integers: 'int32', truth: 'bool' } as const;
  return tf.tensor(valuesOf(spec, seed), [...spec.shape], dtype[spec.kind]);
}

export interface GradientResult {
  readonly value: Float32Array;
  /** One for each input. */
  readonly gradients: readonly Float32Array[];
}

/** Value and gradients of a case on the backend that is set. The upstream gradient is not constant. */
export function runGradient(tf: Tf, gradientCase: GradientCase): GradientResult {
  return tf.tidy(() => {
    const inputs = gradientCase.inputs.map((spec, i) => tensorOf(tf, spec, i + 1));
    const constants = gradientCase.constants.map((spec, i) => tensorOf(tf, spec, i + 101));
    const value = gradientCase.run(tf, inputs, constants);
    const dy = tensorOf(tf, { shape: value.shape, low: 0.5, high: 1.5, kind: 'real' }, 1001);
    const gradients = tf.grads((...xs: Tensor[]) => gradientCase.run(tf, xs, constants))(inputs, dy);
    const floats = (tensor: Tensor) => Float32Array.from(tensor.dataSync());
    return { value: floats(value), gradients: gradients.map(floats) };
  });
}
