// The gradient of a / b at zeros of b: what does not count must not become 0 / 0. Without it tf.divNoNan,
// which divides first and then selects, has NaN for a gradient there.

import { type MendedGradient, product, type Run, summedTo } from './composition.js';
import { sizeOf } from './host.js';
import type { TensorFlow, TensorInfo } from './tensorflow.js';

/** Where b has zeros: da = dy / b, db = −dy · a / b², and 0 where dy is 0. */
export function quotientGradient(tf: TensorFlow, run: Run): MendedGradient {
  return (dy, saved) => {
    const [a, b] = saved as [TensorInfo, TensorInfo];
    if (!hasZero(tf, run, b)) return undefined;
    const zeros = run('ZerosLike', { x: dy });
    const idle = run('Equal', { a: dy, b: zeros });
    const counted = (x: TensorInfo) => run('Select', { condition: idle, t: zeros, e: x });
    const quotient = (x: TensorInfo) => counted(run('RealDiv', { a: x, b }));
    return {
      a: () => summedTo(run, quotient(dy), a.shape),
      b: () => summedTo(run, run('Neg', { x: quotient(product(run, quotient(dy), a)) }), b.shape),
    };
  };
}

function hasZero(tf: TensorFlow, run: Run, x: TensorInfo): boolean {
  if (sizeOf(x.shape) === 0) return false;
  let found = false;
  tf.engine().tidy(() => {
    const zero = run('Fill', {}, { shape: [], value: 0, dtype: 'float32' });
    const any = run(
      'Any',
      { x: run('Equal', { a: x, b: zero }) },
      { axis: [...x.shape.keys()], keepDims: false },
    );
    const [value] = tf.engine().readSync(any.dataId) as Uint8Array;
    found = value !== 0;
  });
  return found;
}
