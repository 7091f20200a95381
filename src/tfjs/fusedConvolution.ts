// tf.fused.conv2d, which layers call: not a kernel and not a registered gradient, but a function of tfjs-core
// with checks and a gradient of its own.

import { explicitPadding } from './padding.js';
import type { FusedConvolution, TensorFlow } from './tensorflow.js';

type Convolve = TensorFlow['fused']['conv2d'];

/** Functions of ours, so that registering twice does not stack. */
const ours = new WeakSet<Convolve>();

/**
 * On the backend `wasm`: dilations are trained as those of tf.conv2d are, where the gradient of the fused
 * function refuses them, and a number for the padding is spelt out for each axis.
 */
export function replaceFusedConvolution(tf: TensorFlow): void {
  const original = tf.fused.conv2d;
  // A bundler may have made a constant of it.
  const replaceable = Object.getOwnPropertyDescriptor(tf.fused, 'conv2d')?.writable === true;
  if (ours.has(original) || !replaceable) return;
  const conv2d: Convolve = (given) => {
    if (tf.getBackend() !== 'wasm') return original(given);
    const call = { ...given, pad: explicitPadding(given.pad) };
    const plain = (call.activation ?? 'linear') === 'linear';
    // Other activations are not fused where a gradient is wanted.
    const training = tf.engine().state.gradientDepth > 0;
    return training && plain && isDilated(call) ? unfused(tf, call) : original(call);
  };
  ours.add(conv2d);
  tf.fused.conv2d = conv2d;
}

function isDilated({ dilations }: FusedConvolution): boolean {
  return [dilations ?? 1].flat().some((each) => each !== 1);
}

function unfused(tf: TensorFlow, call: FusedConvolution): unknown {
  const { x, filter, strides, pad, dataFormat, dilations, dimRoundingMode, bias } = call;
  const y = tf.conv2d(x, filter, strides, pad, dataFormat, dilations, dimRoundingMode);
  return bias === undefined || bias === null ? y : tf.add(y, bias);
}
