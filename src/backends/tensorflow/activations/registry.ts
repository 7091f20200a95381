// The only place where names of activations become operations of TensorFlow.js.
import type { ActivationName } from '../../../model/activations/registry.js';
import { gelu } from './gelu.js';
import { leakyRelu } from './leakyRelu.js';
import { relu } from './relu.js';
import { sigmoid } from './sigmoid.js';
import { silu } from './silu.js';
import { tanh } from './tanh.js';
import type { TensorActivation } from './tensorActivation.js';

const ACTIVATIONS: Readonly<Record<ActivationName, TensorActivation>> = {
  relu,
  tanh,
  sigmoid,
  leakyRelu,
  gelu,
  silu,
};

export function tensorActivationOf(name: ActivationName): TensorActivation {
  return ACTIVATIONS[name];
}
