// The module: no data segment, no heap; every address comes in as an argument.

export { reluForward, reluBackward, tanhForward, tanhBackward } from './activations';
export { bernoulli, sigmoidArray } from './bernoulli';
export { expArray, log1pArray, logArray } from './elementary';
export { columnSums } from './columnSums';
export { gaussianBackward, gaussianForward } from './gaussian';
export { gemmDot4 } from './dot';
export { adam, reduceAdam, treeReduce } from './optimizer';
export { packColumns, packPanels, transposeMatrix } from './pack';
export { multiplyAddProbe, peakProbe, widePeakProbe } from './probe';
export { binarize, randomBits, randomNormal, randomUniform } from './random';
export { copyFloats, copyPieces } from './reshape';
