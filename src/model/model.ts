// The resolved model: what the declarative spec (spec.ts) becomes once shapes and parameters are known.
import type { Settings } from './activations/activation.js';
import type { ActivationName } from './activations/registry.js';
import type { ModelPrior } from './priors/registry.js';

/** A tensor's shape without the batch. */
export type Shape = readonly number[];
/** [height, width, channels]. */
export type MapShape = readonly [number, number, number];

/** One tensor in the flat parameter buffer. */
export interface ParameterEntry {
  /** e.g. `encoder/conv2d_1/weights`. */
  readonly name: string;
  readonly shape: Shape;
  /** First float of the tensor in the flat parameter buffer. */
  readonly offset: number;
  /** Number of floats. */
  readonly size: number;
  readonly initializer: Initializer;
}

export type Initializer =
  /** Uniform on ±sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010; Keras's default). */
  | { readonly kind: 'glorotUniform'; readonly fanIn: number; readonly fanOut: number }
  /** Uniform on ±1 / sqrt(fanIn) (PyTorch's default for weights and biases). */
  | { readonly kind: 'fanInUniform'; readonly fanIn: number }
  | { readonly kind: 'zeros' }
  | { readonly kind: 'standardNormal' }
  /** The logit of each pixel's mean over the training data. */
  | { readonly kind: 'dataMeanLogit' };

/** All parameters, in the order of the layers, encoder first: one flat buffer. */
export interface ParameterLayout {
  readonly entries: readonly ParameterEntry[];
  /** Number of floats in all. */
  readonly size: number;
}

/**
 * A layer with weights. conv2d reads the big map and writes the small one, conv2dTranspose the other way
 * round, dense is both at once with 1×1 maps. Big position of small pixel sy and tap ky:
 * sy·strideH + ky − padTop.
 */
export interface CorrelationLayer {
  readonly kind: 'correlation';
  readonly type: 'conv2d' | 'conv2dTranspose' | 'dense';
  readonly name: string;
  /** Shapes as the spec sees them; dense: [n]. */
  readonly input: Shape;
  readonly output: Shape;
  readonly big: MapShape;
  readonly small: MapShape;
  /** [kh, kw]. */
  readonly kernel: readonly [number, number];
  /** [strideH, strideW]. */
  readonly strides: readonly [number, number];
  /** [padTop, padLeft]. */
  readonly padding: readonly [number, number];
  /** [kh, kw, bigChannels, smallChannels]; dense: [in, out]. */
  readonly weights: ParameterEntry;
  /** [output channels]. */
  readonly bias: ParameterEntry;
}

export interface ActivationLayer {
  readonly kind: 'activation';
  readonly name: string;
  readonly activation: ActivationName;
  /** Absent where the activation has none. */
  readonly settings?: Settings;
  readonly input: Shape;
  readonly output: Shape;
}

/** flatten and reshape. */
export interface ReshapeLayer {
  readonly kind: 'reshape';
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
}

/**
 * Between a big map and a small one, channel by channel: small pixel (sy, sx) goes with the window of big
 * pixels sy·strideH + ty − padTop, 0 ≤ ty < size, and columns likewise, as far as they lie in the map. Pools
 * read the big map, upsample the small one.
 */
export interface ResampleLayer {
  readonly kind: 'resample';
  readonly type: 'maxPool' | 'avgPool' | 'upsample';
  readonly name: string;
  readonly input: MapShape;
  readonly output: MapShape;
  /** [rows, columns] of a window. */
  readonly size: readonly [number, number];
  /** [strideH, strideW]. */
  readonly strides: readonly [number, number];
  /** [padTop, padLeft]. */
  readonly padding: readonly [number, number];
}

/** The input, and added to it what the layers make of it. */
export interface ResidualLayer {
  readonly kind: 'residual';
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  readonly layers: readonly Layer[];
}

export type Layer = CorrelationLayer | ActivationLayer | ReshapeLayer | ResampleLayer | ResidualLayer;

export interface Model {
  readonly name: string;
  /** [height, width, channels] of an example. */
  readonly input: MapShape;
  /** Number of pixels times channels of an example: D. */
  readonly dimensions: number;
  /** d, the dimensions of z. */
  readonly latent: number;
  readonly encoder: readonly Layer[];
  readonly decoder: readonly Layer[];
  readonly prior: ModelPrior;
  readonly parameters: ParameterLayout;
}
