// The module: no data segment, no heap; every address comes in as an argument.

export { geluBackward, geluForward } from './activations/gelu';
export { leakyReluBackward, leakyReluForward } from './activations/leakyRelu';
export { reluBackward, reluForward } from './activations/relu';
export { sigmoidBackward, sigmoidForward } from './activations/sigmoid';
export { siluBackward, siluForward } from './activations/silu';
export { tanhBackward, tanhForward } from './activations/tanh';
export { multiplyAddProbe } from './arithmetic';
export { bernoulli, sigmoidArray } from './bernoulli';
export { copyBordered, zeroFloats } from './border';
export {
  averagePoolBackward,
  averagePoolForward,
  maxPoolBackward,
  maxPoolForward,
  upsampleBackward,
  upsampleForward,
} from './borderedWindows';
export { expArray, logArray } from './elementary';
export { columnSums } from './columnSums';
export { activate, addRows, fillRows, preluRows, reluGradient } from './epilogue';
export { allFinite } from './finite';
export { gaussianBackward, gaussianForward } from './gaussian';
export { gaussianLikelihood } from './gaussianLikelihood';
export {
  gaussianBackwardEstimated,
  gaussianBackwardWeighted,
  gaussianLogRatios,
  gaussianLogWeightGradient,
  scaleRows,
} from './importance';
export { listGradients, listInputs } from './lists';
export { adam, reduceAdam, treeReduce } from './optimizer';
export { packColumns, packPanels, packRows } from './pack';
export { binarize, randomBits, randomNormal, randomUniform } from './random';
export { copyFloats, copyPieces } from './reshape';
export { addFloats } from './residual';
export {
  mapExp,
  mapExpm1,
  mapLog,
  mapLog1p,
  mapReciprocal,
  mapRsqrt,
  mapSoftplus,
  mapSqrt,
  mapTanh,
} from './unary';
export { reduceMax, reduceMin, reduceSum } from './reduction';
export { windowMax, windowMaxInputGradient, windowMaxFilterGradient, windowAverageGradient } from './pooling';
export { depthwiseFilterGradient, depthwiseInputGradient, repeatElements } from './depthwise';
export { volumeFilterGradient, volumeInputGradient } from './volume';
export { copyRows, exchangeSlices, gatherSlices, repeatBlocks, reverseSlices, segmentSum } from './segments';
export {
  andBytes,
  broadcastEqual,
  broadcastGreater,
  broadcastGreaterEqual,
  broadcastLess,
  broadcastLessEqual,
  broadcastMaximum,
  broadcastMinimum,
  broadcastNotEqual,
  orBytes,
  selectWords,
} from './binary';
export { resampleGradient, resampleNearest } from './resample';
export { normalizeRows } from './batchNorm';
export { adamStep } from './adamStep';
export { averageFloats } from './average';
export { scaleFloats } from './scale';
export { squaredNorms } from './squaredNorms';
export { reduceSgd, sgd } from './sgd';
export { cumulativeSum } from './cumulative';
export { transposeMatrix, transposeTensor } from './transpose';
