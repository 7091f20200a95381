import { ADAM_STEP } from './adam.js';
import { BATCH_NORM } from './batchNorm.js';
import { CAST } from './cast.js';
import { CLIP } from './clip.js';
import { COMPARISONS } from './comparison.js';
import { CROP } from './crop.js';
import { DEPTHWISE } from './depthwise.js';
import { ELEMENTARY } from './elementary.js';
import { IDENTITY } from './identity.js';
import { ONE_HOT } from './oneHot.js';
import { PADDED_WINDOWS } from './paddedWindows.js';
import { POOLING } from './pooling.js';
import { POOLING_POSITIONS } from './poolingPositions.js';
import { PRELU } from './prelu.js';
import { REARRANGEMENTS } from './rearrange.js';
import { REDUCTIONS } from './reduce.js';
import { RESAMPLING } from './resample.js';
import { STRIDED_SLICE } from './stridedSlice.js';
import type { TrainingKernel } from './trainingKernel.js';
import { TRANSPOSITION } from './transpose.js';
import { VOLUME_CONVOLUTION } from './volume.js';

/** Every kernel outside the products and convolutions of the GEMM family. */
export const TENSOR_KERNELS: readonly TrainingKernel[] = [
  ...REDUCTIONS,
  ...ELEMENTARY,
  ...COMPARISONS,
  ...REARRANGEMENTS,
  ...DEPTHWISE,
  ...POOLING,
  ...PADDED_WINDOWS,
  ...RESAMPLING,
  ...VOLUME_CONVOLUTION,
  ...TRANSPOSITION,
  BATCH_NORM,
  CAST,
  CLIP,
  CROP,
  IDENTITY,
  POOLING_POSITIONS,
  ONE_HOT,
  PRELU,
  STRIDED_SLICE,
  ADAM_STEP,
];
