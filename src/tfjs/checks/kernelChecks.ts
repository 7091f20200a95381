import { AXIS_CHECKS } from './axes.js';
import { INDEX_CHECKS } from './indices.js';
import type { KernelChecks } from './kernelCheck.js';
import { OPERAND_CHECKS } from './operands.js';
import { SIZE_CHECKS } from './sizes.js';
import { SPARSE_CHECKS } from './sparse.js';
import { TEXT_CHECKS } from './texts.js';
import { WINDOW_CHECKS } from './windows.js';

/** Every check, of our kernels and of TensorFlow.js's. */
export const KERNEL_CHECKS: KernelChecks = {
  ...AXIS_CHECKS,
  ...SIZE_CHECKS,
  ...INDEX_CHECKS,
  ...SPARSE_CHECKS,
  ...OPERAND_CHECKS,
  ...TEXT_CHECKS,
  ...WINDOW_CHECKS,
};
