// Gradients that TensorFlow.js composes of more passes than they need, on the backend `wasm`; elsewhere they
// stay as they are.

import { mendedGradients } from './mendedGradients.js';
import { RELU_GRADIENT_NAME } from './reluGradient.js';
import type { GradientConfig, TensorFlow, TensorInfo } from './tensorflow.js';

type Gradient = GradientConfig['gradFunc'];

/** The gradients that ours have replaced, so that registering twice does not stack. */
const originals = new WeakMap<Gradient, GradientConfig>();

/** Where TensorFlow.js has registered no gradients, none are. */
export function replaceGradients(tf: TensorFlow): void {
  const run = (name: string, inputs: object, attrs?: object) =>
    tf.engine().runKernel(name, inputs, attrs) as TensorInfo;
  // TensorFlow.js: dy · step(x).
  replaceGradient(tf, 'Relu', (dy, [x]) => ({ x: () => run(RELU_GRADIENT_NAME, { x, dy }) }));
  // TensorFlow.js: dy · a tensor of ones, which JavaScript fills.
  replaceGradient(tf, 'Sum', (dy, [x], { axis }) => ({
    x: () => {
      const { shape } = x!;
      const summed = summedAxes(axis, shape.length);
      const kept = shape.map((extent, i) => (summed.has(i) ? 1 : extent));
      const reps = shape.map((extent, i) => (summed.has(i) ? extent : 1));
      return run('Tile', { x: run('Reshape', { x: dy }, { shape: kept }) }, { reps });
    },
  }));
  for (const [kernelName, gradient] of Object.entries(mendedGradients(tf))) {
    replaceGradient(tf, kernelName, gradient);
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

/** @param ours for float32 on the backend `wasm`. */
function replaceGradient(tf: TensorFlow, kernelName: string, ours: Gradient): void {
  const current = tf.getGradient(kernelName) as GradientConfig | undefined;
  if (current === undefined) return;
  const original = originals.get(current.gradFunc) ?? current;
  const gradFunc: Gradient = (dy, saved, attrs) => {
    const floats = [dy, ...saved].every((tensor) => tensor.dtype === 'float32');
    const chosen = tf.getBackend() === 'wasm' && floats ? ours : original.gradFunc;
    return chosen(dy, saved, attrs);
  };
  originals.set(gradFunc, original);
  tf.unregisterGradient(kernelName);
  tf.registerGradient({ ...original, gradFunc });
}

function summedAxes(axis: unknown, rank: number): ReadonlySet<number> {
  const given = axis === undefined || axis === null ? undefined : [axis].flat();
  const axes = given?.map((i) => ((i as number) + rank) % rank);
  return new Set(axes ?? Array.from({ length: rank }, (_, i) => i));
}
