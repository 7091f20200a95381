import { type Run, reshape } from './composition.js';
import { readEquation } from './einsum.js';
import type { GradientConfig, TensorFlow, TensorInfo } from './tensorflow.js';

/**
 * The gradient of tf.einsum: for an operand it is an einsum again, of dy and the other operand. Labels that
 * the operand alone has were summed over, so that all its elements along these axes have the same gradient.
 */
export function einsumGradient(tf: TensorFlow, run: Run): GradientConfig {
  return {
    kernelName: 'Einsum',
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const { operands, output } = readEquation(tf, String(attrs.equation), saved);
      const gradientOf = (tensor: TensorInfo, i: number) => () => {
        const labels = operands[i] ?? '';
        const others = operands.filter((_, k) => k !== i);
        const known = [...labels].filter((label) => [output, ...others].some((each) => each.includes(label)));
        const equation = `${[output, ...others].join(',')}->${known.join('')}`;
        const gradient = run('Einsum', [dy, ...saved.filter((_, k) => k !== i)], { equation });
        if (known.length === labels.length) return gradient;
        const { shape } = tensor;
        const isKnown = [...labels].map((label) => known.includes(label));
        const kept = reshape(
          run,
          gradient,
          shape.map((size, axis) => (isKnown[axis] ? size : 1)),
        );
        return run('Tile', { x: kept }, { reps: shape.map((size, axis) => (isKnown[axis] ? 1 : size)) });
      };
      return Object.fromEntries(saved.map((tensor, i) => [i, gradientOf(tensor, i)]));
    },
  };
}
