// The entry `lowerbound/tfjs-wasm`: training on TensorFlow.js's wasm backend.

export type { PlatformOptions } from '../kernels/platform.js';
export { registerTrainingKernels } from './register.js';
export type { TensorFlow } from './tensorflow.js';
