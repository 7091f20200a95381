// tf.fused.conv2d, which layers call, and tf.fused.depthwiseConv2d: not kernels and not registered gradients,
// but functions of tfjs-core with checks and gradients of their own.

import { isDilated } from './convolution.js';
import { explicitPadding } from './padding.js';
import type { FusedConvolution, TensorFlow } from './tensorflow.js';

type Name = keyof TensorFlow['fused'];
type Convolve = TensorFlow['fused'][Name];

/** Functions of ours, so that registering twice does not stack. */
const ours = new WeakSet<Convolve>();

/**
 * On the backend `wasm`: dilations are trained as those of tf.conv2d and tf.depthwiseConv2d are, where the
 * gradients of the fused functions refuse them, and a number for the padding is spelt out for each axis.
 */
export function replaceFusedConvolutions(tf: TensorFlow): void {
  for (const name of ['conv2d', 'depthwiseConv2d'] as const) {
    const original = tf.fused[name];
    // A bundler may have made a constant of it.
    const replaceable = Object.getOwnPropertyDescriptor(tf.fused, name)?.writable === true;
    if (ours.has(original) || !replaceable) continue;
    const convolve: Convolve = (given) => {
      if (tf.getBackend() !== 'wasm') return original(given);
      const call = { ...given, pad: explicitPadding(given.pad) };
      const plain = (call.activation ?? 'linear') === 'linear';
      // Other activations are not fused where a gradient is wanted.
      const training = tf.engine().state.gradientDepth > 0;
      return training && plain && isDilated(call.dilations) ? unfused(tf, name, call) : original(call);
    };
    ours.add(convolve);
    tf.fused[name] = convolve;
  }
}

function unfused(tf: TensorFlow, name: Name, call: FusedConvolution): unknown {
  const { x, filter, strides, pad, dataFormat, dilations, dimRoundingMode, bias } = call;
  const y = tf[name](x, filter, strides, pad, dataFormat, dilations, dimRoundingMode);
  return bias === undefined || bias === null ? y : tf.add(y, bias);
}
