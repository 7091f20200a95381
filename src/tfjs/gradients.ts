// Gradients that TensorFlow.js composes of more passes than they need, on the backend `wasm`; elsewhere they
// stay as they are.

import { addedGradients } from './addedGradients.js';
import { axesOf } from './axes.js';
import { type Gradient, type MendedGradient, reshape, runnerOf } from './composition.js';
import { batchedGatherGradient } from './indexedGradients.js';
import { listGradients } from './listGradients.js';
import { mendedGradients } from './mendedGradients.js';
import { RELU_GRADIENT_NAME } from './reluGradient.js';
import type { GradientConfig, TensorFlow } from './tensorflow.js';

/** The gradients that ours have replaced, so that registering twice does not stack. */
const originals = new WeakMap<Gradient, GradientConfig>();

/**
 * Where TensorFlow.js has registered no gradients, none are replaced. Gradients that it does not have are
 * added for all backends.
 */
export function replaceGradients(tf: TensorFlow): void {
  const run = runnerOf(tf);
  // TensorFlow.js: dy · step(x).
  replaceGradient(tf, 'Relu', (dy, [x]) => ({ x: () => run(RELU_GRADIENT_NAME, { x, dy }) }));
  // TensorFlow.js: dy · a tensor of ones, which JavaScript fills.
  replaceGradient(tf, 'Sum', (dy, [x], { axis }) => ({
    x: () => {
      const { shape } = x!;
      const summed = axesOf(axis, shape.length);
      const kept = shape.map((extent, i) => (summed.includes(i) ? 1 : extent));
      const reps = shape.map((extent, i) => (summed.includes(i) ? extent : 1));
      return run('Tile', { x: reshape(run, dy, kept) }, { reps });
    },
  }));
  for (const [kernelName, gradient] of Object.entries(mendedGradients(tf))) {
    replaceGradient(tf, kernelName, gradient);
  }
  replaceGradient(tf, 'GatherV2', batchedGatherGradient(run), { dtypes: ['float32', 'int32'] });
  for (const [kernelName, gradient] of Object.entries(listGradients(run))) {
    replaceGradient(tf, kernelName, gradient, { everywhere: true });
  }
  for (const config of addedGradients(tf)) {
    if (tf.getGradient(config.kernelName) === undefined) tf.registerGradient(config);
  }
  // For gradients of gradients: linear in dy, and flat in x.
  if (tf.getGradient(RELU_GRADIENT_NAME) === undefined) {
    const gradFunc: Gradient = (ddx, [x]) => ({
      dy: () => run(RELU_GRADIENT_NAME, { x, dy: ddx }),
      x: () => run('ZerosLike', { x }),
    });
    tf.registerGradient({ kernelName: RELU_GRADIENT_NAME, inputsToSave: ['x'], gradFunc });
  }
}

interface Use {
  /** The dtypes of what is saved for the gradient; by default all float32. */
  readonly dtypes?: readonly string[];
  /** On all backends, not on `wasm` alone. */
  readonly everywhere?: boolean;
}

/** @param ours for float32; where it returns undefined, tfjs-core's own. */
function replaceGradient(
  tf: TensorFlow,
  kernelName: string,
  ours: MendedGradient,
  { dtypes = [], everywhere = false }: Use = {},
): void {
  const current = tf.getGradient(kernelName) as GradientConfig | undefined;
  if (current === undefined) return;
  const original = originals.get(current.gradFunc) ?? current;
  const gradFunc: Gradient = (dy, saved, attrs) => {
    const fits = saved.every((tensor, i) => !tensor || tensor.dtype === (dtypes[i] ?? 'float32'));
    const chosen = (everywhere || tf.getBackend() === 'wasm') && dy.dtype === 'float32' && fits;
    return (chosen ? ours(dy, saved, attrs) : undefined) ?? original.gradFunc(dy, saved, attrs);
  };
  originals.set(gradFunc, original);
  tf.unregisterGradient(kernelName);
  tf.registerGradient({ ...original, gradFunc });
}
