// The module: no data segment, no heap; every address comes in as an argument.

export { reluForward, reluBackward, tanhForward, tanhBackward } from './activations';
export { bernoulli, sigmoidArray } from './bernoulli';
export { expArray, log1pArray, logArray } from './elementary';
export { columnSums, filterGradient4x8 } from './filterGradient';
export { gaussianBackward, gaussianForward } from './gaussian';
export { gemm4x8, gemmDot4 } from './gemm';
export { adam, treeReduce } from './optimizer';
export { packColumns, packPanels } from './pack';
export { peakProbe } from './probe';
export { binarize, randomBits, randomNormal, randomUniform } from './random';
export { copyFloats, copyPieces } from './reshape';
