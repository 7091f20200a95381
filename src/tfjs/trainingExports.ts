import type { Kernels } from '../kernels/kernels.js';
import type { ProductExports } from '../products/productExports.js';
import type { TensorExports } from './tensorExports.js';

/**
 * The functions of the WebAssembly module that only the TensorFlow.js kernels call, beside those of the training engine
 * (each is documented in src/kernels/assembly). Addresses are in bytes, counts in elements.
 */
export interface TrainingExports extends Kernels, ProductExports, TensorExports {}
