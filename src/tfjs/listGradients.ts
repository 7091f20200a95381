// tf.unstack and tf.split where the result is a list of one: tfjs-core's tape hands over dy itself then, and
// its gradients expect a list. A recurrent layer unstacks its steps, of which there may be one.

import type { MendedGradient, Run } from './composition.js';

/**
 * By the kernel that they are gradients of, for all backends. A list of several has no dtype, and is not for
 * them.
 */
export function listGradients(run: Run): Readonly<Record<string, MendedGradient>> {
  return {
    Unpack: (dy, _, { axis }) => ({ value: () => run('ExpandDims', { input: dy }, { dim: axis }) }),
    SplitV: (dy) => ({ x: () => run('Identity', { x: dy }) }),
  };
}
