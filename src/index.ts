// The library: `import { train, loadModel } from 'lowerbound'`.

export type { AbortSignalLike } from './abortSignal.js';
export type { BackendName, KlEstimate } from './backends/backend.js';
export {
  type ComparedEstimators,
  type CompareEstimatorsOptions,
  compareEstimators,
} from './coordinator/compareEstimators.js';
export {
  type EstimateLikelihoodOptions,
  type EstimateRow,
  estimateLikelihood,
  type LikelihoodEstimates,
} from './coordinator/estimateLikelihood.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './coordinator/evaluate.js';
export type { FinishReason, RunEvent } from './coordinator/events.js';
export { type LoadedModel, loadModel, type ReadOptions } from './coordinator/loadModel.js';
export type { MetricsComparison } from './coordinator/metricsComparison.js';
export type {
  CheckpointInfo,
  EpochInfo,
  HookResult,
  StepInfo,
  TrainHooks,
} from './coordinator/sinks/callerHooks.js';
export { type TrainResult, train } from './coordinator/train.js';
export type { TrainOptions } from './coordinator/trainOptions.js';
export {
  type Verification,
  type VerifiedInterval,
  type VerifyOptions,
  verify,
} from './coordinator/verify.js';
export { WorkerFailure } from './coordinator/workerPool.js';
export type { ImageArrays } from './data/arrays.js';
export { type DataOption, loadDataset } from './data/registry.js';
export type { Dataset, ImageSet } from './data/source.js';
export { NotFiniteError, UsageError } from './errors.js';
export type { ChainDiagnostics } from './inference/diagnostics.js';
export type { EstimatorFigures, MeasuredMoment } from './inference/estimatorComparison.js';
export type { MarkovDiagnostics, PosteriorDraws } from './inference/inferPosterior.js';
export type { ElboTerms } from './inference/latentEngine.js';
export { type ElboGradients, LatentModel } from './inference/latentModel.js';
export type {
  DecodeOptions,
  ElboOptions,
  GradientOptions,
  LatentModelOptions,
  PosteriorOptions,
  ReconstructOptions,
  SampleOptions,
} from './inference/options.js';
export type { Posterior } from './inference/posterior.js';
export { interpolate, type Manifold, manifold } from './inference/traversal.js';
export type { LikelihoodName } from './model/likelihoods/registry.js';
export type { MapShape, Model, ParameterEntry, Shape } from './model/model.js';
export { presetNames, presetSpec } from './model/presets.js';
export type { PriorName } from './model/priors/registry.js';
export { type ResolveOptions, resolveModel } from './model/resolve.js';
export type { Binarization, LayerSpec, ModelSpec } from './model/spec.js';
export type { EstimatorName } from './objective/estimators/registry.js';
export type { ObjectiveName } from './objective/registry.js';
export type { OptimizerName } from './optimizer/registry.js';
export type { MeanTerms } from './runs/meanTerms.js';
export type { PartialRunConfig, RunConfig } from './runs/runConfig.js';
export type { TensorDifference } from './runs/stateDifference.js';
export type { ScheduleName } from './schedule/registry.js';
