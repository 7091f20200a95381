import { product, type Run, reshape } from './composition.js';
import { sizeOf } from './host.js';
import type { GradientConfig, TensorInfo } from './tensorflow.js';

/**
 * The gradient of tf.cumprod, zeros included: no number is divided by. With p the product of those before,
 * dx[i] = p[i] · s[i] where s[i] = dy[i] + x[i + 1] · s[i + 1], or dy[i + 1] + x[i + 1] · s[i + 1] where y
 * excludes its own x.
 */
export function cumulativeProductGradient(run: Run): GradientConfig {
  return {
    kernelName: 'Cumprod',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => ({
      x: () => {
        const shape = x?.shape ?? [];
        const axis = ((attrs.axis as number) + shape.length) % shape.length;
        const apart = [sizeOf(shape.slice(0, axis)), shape[axis] ?? 1, sizeOf(shape.slice(axis + 1))];
        const reverse = attrs.reverse === true;
        const line = reshape(run, x as TensorInfo, apart);
        const gradient = reshape(run, dy, apart);
        const before = run('Cumprod', { x: line }, { axis: 1, exclusive: true, reverse });
        const next = (each: TensorInfo, count: number) => shifted(run, each, reverse ? -count : count);
        const first = attrs.exclusive === true ? next(gradient, 1) : gradient;
        return reshape(run, product(run, before, recurrence(run, first, next(line, 1), next)), shape);
      },
    }),
  };
}

/** s[i] = b[i] + a[i] · s[i + 1], in steps that double how far each s sees. */
function recurrence(
  run: Run,
  b: TensorInfo,
  a: TensorInfo,
  next: (x: TensorInfo, count: number) => TensorInfo,
): TensorInfo {
  let [sum, factor] = [b, a];
  for (let seen = 1; seen < (b.shape[1] ?? 1); seen *= 2) {
    sum = run('Add', { a: sum, b: product(run, factor, next(sum, seen)) });
    factor = product(run, factor, next(factor, seen));
  }
  return sum;
}

/** x[:, i + count], zeros where there is none. */
function shifted(run: Run, x: TensorInfo, count: number): TensorInfo {
  const [outer = 0, length = 0, inner = 0] = x.shape;
  const by = Math.max(-length, Math.min(length, count));
  const begin = [0, Math.max(0, by), 0];
  const kept = run('Slice', { x }, { begin, size: [outer, length - Math.abs(by), inner] });
  const border: [number, number] = [Math.max(0, -by), Math.max(0, by)];
  return run('PadV2', { x: kept }, { paddings: [[0, 0], border, [0, 0]], constantValue: 0 });
}
