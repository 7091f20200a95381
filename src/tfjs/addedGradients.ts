// Gradients that tfjs-core does not have. They are composed of TensorFlow.js's kernels alone, and hold on
// every backend.

import { runnerOf } from './composition.js';
import { volumeTransposeGradient } from './convolutionGradients.js';
import { cropGradient } from './cropGradient.js';
import { cumulativeProductGradient } from './cumulativeProductGradient.js';
import { einsumGradient } from './einsumGradient.js';
import { gatherPointsGradient, largestGradient, scatterPointsGradient } from './indexedGradients.js';
import { depthToSpaceGradient, flipGradient, stridedSliceGradient } from './sliceGradients.js';
import type { GradientConfig, TensorFlow } from './tensorflow.js';
import { zeroGradients } from './zeroGradients.js';

export function addedGradients(tf: TensorFlow): readonly GradientConfig[] {
  const run = runnerOf(tf);
  return [
    ...zeroGradients(run),
    volumeTransposeGradient(run),
    gatherPointsGradient(tf, run),
    scatterPointsGradient(run),
    largestGradient(run),
    stridedSliceGradient(tf, run),
    depthToSpaceGradient(run),
    flipGradient(run),
    cumulativeProductGradient(run),
    cropGradient(tf, run),
    einsumGradient(tf, run),
  ];
}
