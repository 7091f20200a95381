// The gradient of a / b at zeros of b: what does not count must not become 0 / 0. Without it tf.divNoNan,
// which divides first and then selects, has NaN for a gradient there.

import { type MendedGradient, product, type Run, summedTo } from './composition.js';
import type { TensorFlow, TensorInfo } from './tensorflow.js';

/** Where b has zeros: da = dy / b, db = −dy · a / b², and 0 where dy is 0. */
export function quotientGradient(tf: TensorFlow, run: Run): MendedGradient {
  return (dy, saved) => {
    const [a, b] = saved as [TensorInfo, TensorInfo];
    if (!hasZero(tf, b)) return undefined;
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

function hasZero(tf: TensorFlow, x: TensorInfo): boolean {
  return (tf.engine().readSync(x.dataId) as Float32Array).includes(0);
}
