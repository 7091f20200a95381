// One layer of a spec to one or two layers of the model: its own, and its activation's.
import { UsageError } from '../errors.js';
import { convolutionAxis, transposedConvolutionAxis } from './geometry.js';
import { fanInUniform, glorotUniform, type ParameterLayoutBuilder, sizeOf } from './layout.js';
import type { ActivationLayer, CorrelationLayer, Initializer, Layer, MapShape, Shape } from './model.js';
import type {
  ActivationName,
  Conv2dSpec,
  Conv2dTransposeSpec,
  DenseSpec,
  Extent,
  LayerSpec,
  ReshapeSpec,
} from './spec.js';

/** What all layers of the encoder, or of the decoder, share. */
export interface Side {
  readonly side: 'encoder' | 'decoder';
  readonly model: string;
  /** Of the data. */
  readonly input: MapShape;
  readonly latent: number;
  readonly layout: ParameterLayoutBuilder;
  readonly initialization: 'glorotUniform' | 'fanInUniform';
}

export interface LayerContext extends Side {
  /** Position in the spec's list. */
  readonly index: number;
  readonly name: string;
  /** Of the layer's input. */
  readonly shape: Shape;
  /** Absent: as `initialization` says. */
  readonly biasInitializer: 'zeros' | 'dataMeanLogit' | undefined;
}

/** @throws UsageError where the layer does not take an input of this shape. */
export function resolveLayer(spec: LayerSpec, context: LayerContext): Layer[] {
  const { name, shape } = context;
  switch (spec.type) {
    case 'conv2d':
    case 'conv2dTranspose':
      return withActivation(convolution(spec, context), spec.activation);
    case 'dense':
      return withActivation(dense(spec, context), spec.activation);
    case 'relu':
    case 'tanh':
      return [{ kind: 'activation', name, activation: spec.type, input: shape, output: shape }];
    case 'flatten':
      return [{ kind: 'reshape', name, input: shape, output: [sizeOf(shape)] }];
    case 'reshape':
      return [{ kind: 'reshape', name, input: shape, output: reshaped(spec, context) }];
  }
}

function withActivation(layer: CorrelationLayer, activation: ActivationName | undefined): Layer[] {
  if (activation === undefined) return [layer];
  const { name, output } = layer;
  const after: ActivationLayer = {
    kind: 'activation',
    // No layer has this name: names hold no slash.
    name: `${name}/${activation}`,
    activation,
    input: output,
    output,
  };
  return [layer, after];
}

function convolution(spec: Conv2dSpec | Conv2dTransposeSpec, context: LayerContext): CorrelationLayer {
  const { name, shape: input } = context;
  if (!isMap(input)) {
    throw unfit(
      context,
      `takes a map [height, width, channels], but its input is [${input.join(', ')}]; put a reshape layer before it`,
    );
  }
  const [height, width, channels] = input;
  const filters = spec.filters === 'channels' ? dataChannels(context) : spec.filters;
  const kernel = pair(spec.kernel);
  const strides = pair(spec.strides ?? 1);
  const axis = spec.type === 'conv2d' ? convolutionAxis : transposedConvolutionAxis;
  const padding = spec.padding ?? 'valid';
  const rows = axis(height, kernel[0], strides[0], padding);
  const columns = axis(width, kernel[1], strides[1], padding);
  if (rows.small < 1 || columns.small < 1) {
    throw unfit(
      context,
      `has a kernel of [${kernel.join(', ')}] without padding, larger than its input [${input.join(', ')}]; use a ` +
        `smaller kernel, or padding "same"`,
    );
  }
  const down = spec.type === 'conv2d';
  const big: MapShape = [rows.big, columns.big, down ? channels : filters];
  const small: MapShape = [rows.small, columns.small, down ? filters : channels];
  return {
    kind: 'correlation',
    type: spec.type,
    name,
    input,
    output: down ? small : big,
    big,
    small,
    kernel,
    strides,
    padding: [rows.padBefore, columns.padBefore],
    ...parameters(context, spec.type, [...kernel, big[2], small[2]], filters),
  };
}

function dense(spec: DenseSpec, context: LayerContext): CorrelationLayer {
  const { name, shape: input } = context;
  if (input.length !== 1) {
    throw unfit(
      context,
      `takes a vector, but its input is the map [${input.join(', ')}]; put a flatten layer before it, which makes ` +
        `it [${sizeOf(input)}]`,
    );
  }
  const [inputs, outputs] = [input[0]!, units(spec.units, context)];
  return {
    kind: 'correlation',
    type: 'dense',
    name,
    input,
    output: [outputs],
    big: [1, 1, inputs],
    small: [1, 1, outputs],
    kernel: [1, 1],
    strides: [1, 1],
    padding: [0, 0],
    ...parameters(context, spec.type, [inputs, outputs], outputs),
  };
}

function units(wanted: DenseSpec['units'], context: LayerContext): number {
  if (typeof wanted === 'number') return wanted;
  const [owner, count] =
    wanted === 'posterior'
      ? (['encoder', 2 * context.latent] as const)
      : (['decoder', sizeOf(context.input)] as const);
  if (context.side !== owner)
    throw unfit(context, `has units "${wanted}", which only a layer of the ${owner} can have`);
  return count;
}

function dataChannels(context: LayerContext): number {
  if (context.side !== 'decoder') {
    throw unfit(context, 'has filters "channels", which only a layer of the decoder can have');
  }
  return context.input[2];
}

function reshaped(spec: ReshapeSpec, context: LayerContext): Shape {
  const [from, to] = [context.shape, spec.shape];
  if (sizeOf(from) !== sizeOf(to)) {
    throw unfit(
      context,
      `cannot give its input [${from.join(', ')}] (${sizeOf(from)} values) the shape [${to.join(', ')}] ` +
        `(${sizeOf(to)} values)`,
    );
  }
  return to;
}

function parameters(
  { layout, side, name, initialization, biasInitializer }: LayerContext,
  type: CorrelationLayer['type'],
  weightShape: Shape,
  outputs: number,
): Pick<CorrelationLayer, 'weights' | 'bias'> {
  const glorot = initialization === 'glorotUniform';
  const fanIn = fanInUniform(weightShape, type);
  const bias: Initializer = biasInitializer ? { kind: biasInitializer } : glorot ? { kind: 'zeros' } : fanIn;
  const weights = glorot ? glorotUniform(weightShape) : fanIn;
  return {
    weights: layout.add(`${side}/${name}/weights`, weightShape, weights),
    bias: layout.add(`${side}/${name}/bias`, [outputs], bias),
  };
}

function isMap(shape: Shape): shape is MapShape {
  return shape.length === 3;
}

function pair(extent: Extent): readonly [number, number] {
  return typeof extent === 'number' ? [extent, extent] : extent;
}

function unfit(context: LayerContext, why: string): UsageError {
  const { model, side, index, name } = context;
  return new UsageError(`Model "${model}": ${side}[${index}] "${name}" ${why}.`);
}
