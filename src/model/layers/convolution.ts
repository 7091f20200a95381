// conv2d and conv2dTranspose: fields, defaults and sizes as in Keras.
import type { ActivationFields, ActivationName } from '../activations/registry.js';
import { convolutionAxis, type PaddingName, transposedConvolutionAxis } from '../geometry.js';
import { described, objectOf, oneOf, positiveIntegerOr } from '../jsonReader.js';
import type { CorrelationLayer, MapShape } from '../model.js';
import { withActivation } from './activation.js';
import { activation, type Extent, extent, layerName, padding, pair } from './fields.js';
import { type LayerContext, type LayerType, requireMap, unfit } from './layerType.js';
import { layerParameters } from './parameters.js';

interface ConvolutionFields<T extends 'conv2d' | 'conv2dTranspose'> {
  readonly type: T;
  /** Output channels; `channels` (decoder only) is the data's number of channels. */
  readonly filters: number | 'channels';
  readonly kernel: Extent;
  /** Default 1. */
  readonly strides?: Extent;
  /** Default `valid`. */
  readonly padding?: PaddingName;
  readonly activation?: ActivationName | ActivationFields;
  readonly name?: string;
}

export type Conv2dSpec = ConvolutionFields<'conv2d'>;
export type Conv2dTransposeSpec = ConvolutionFields<'conv2dTranspose'>;

export const conv2d: LayerType<Conv2dSpec> = convolutionType(
  'conv2d',
  'conv2d',
  'A convolution with a bias: from a map to a map, strides make it smaller',
);
export const conv2dTranspose: LayerType<Conv2dTransposeSpec> = convolutionType(
  'conv2dTranspose',
  'conv2d_transpose',
  'A transposed convolution with a bias: from a map to a map, strides make it larger',
);

function convolutionType<T extends 'conv2d' | 'conv2dTranspose'>(
  type: T,
  stem: string,
  describe: string,
): LayerType<ConvolutionFields<T>> {
  const read = objectOf(
    {
      type: oneOf([type]),
      filters: described(
        positiveIntegerOr('channels'),
        'Output channels. "channels" (decoder) is the number of channels of an example',
      ),
      kernel: described(extent, 'Rows and columns of the kernel'),
    },
    { strides: described(extent, 'Default 1'), padding, activation, name: layerName },
  );
  return {
    type,
    stem,
    describe,
    weighted: true,
    read,
    resolve: (spec, context) => withActivation(convolution(spec, context), spec.activation),
  };
}

function convolution(
  spec: ConvolutionFields<'conv2d' | 'conv2dTranspose'>,
  context: LayerContext,
): CorrelationLayer {
  const { name } = context;
  const input = requireMap(context);
  const [height, width, channels] = input;
  const filters = spec.filters === 'channels' ? dataChannels(context) : spec.filters;
  const kernel = pair(spec.kernel);
  const strides = pair(spec.strides ?? 1);
  const axis = spec.type === 'conv2d' ? convolutionAxis : transposedConvolutionAxis;
  const padded = spec.padding ?? 'valid';
  const rows = axis(height, kernel[0], strides[0], padded);
  const columns = axis(width, kernel[1], strides[1], padded);
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
    ...layerParameters(context, spec.type, [...kernel, big[2], small[2]], filters),
  };
}

function dataChannels(context: LayerContext): number {
  if (context.side !== 'decoder') {
    throw unfit(context, 'has filters "channels", which only a layer of the decoder can have');
  }
  return context.input[2];
}
