// maxPool and avgPool: fields, defaults and sizes as in Keras. What lies outside of the map is in no window.
import { convolutionAxis, type PaddingName } from '../geometry.js';
import { described, objectOf, oneOf } from '../jsonReader.js';
import type { ResampleLayer } from '../model.js';
import { type Extent, extent, layerName, padding, pair } from './fields.js';
import { type LayerContext, type LayerType, requireMap, unfit } from './layerType.js';

interface PoolFields<T extends 'maxPool' | 'avgPool'> {
  readonly type: T;
  /** Rows and columns of a window. */
  readonly size: Extent;
  /** Default: the size. */
  readonly strides?: Extent;
  /** Default `valid`. */
  readonly padding?: PaddingName;
  readonly name?: string;
}

export type MaxPoolSpec = PoolFields<'maxPool'>;
export type AvgPoolSpec = PoolFields<'avgPool'>;

export const maxPool: LayerType<MaxPoolSpec> = poolType(
  'maxPool',
  'max_pooling2d',
  'The largest pixel of each window, by channel',
);
export const avgPool: LayerType<AvgPoolSpec> = poolType(
  'avgPool',
  'average_pooling2d',
  'The mean of the pixels of each window, by channel',
);

function poolType<T extends 'maxPool' | 'avgPool'>(
  type: T,
  stem: string,
  describe: string,
): LayerType<PoolFields<T>> {
  return {
    type,
    stem,
    describe,
    read: objectOf(
      { type: oneOf([type]), size: described(extent, 'Rows and columns of a window') },
      { strides: described(extent, 'Default: the size'), padding, name: layerName },
    ),
    resolve: (spec, context) => [pool(spec, context)],
  };
}

function pool(spec: PoolFields<'maxPool' | 'avgPool'>, context: LayerContext): ResampleLayer {
  const input = requireMap(context);
  const [height, width, channels] = input;
  const size = pair(spec.size);
  if (size[0] * size[1] === 1) {
    throw unfit(context, 'has windows of one pixel, which leave nothing to pool; give it a larger size');
  }
  const strides = pair(spec.strides ?? spec.size);
  const padded = spec.padding ?? 'valid';
  const rows = convolutionAxis(height, size[0], strides[0], padded);
  const columns = convolutionAxis(width, size[1], strides[1], padded);
  if (rows.small < 1 || columns.small < 1) {
    throw unfit(
      context,
      `has windows of [${size.join(', ')}] without padding, larger than its input [${input.join(', ')}]; use a ` +
        `smaller size, or padding "same"`,
    );
  }
  return {
    kind: 'resample',
    type: spec.type,
    name: context.name,
    input,
    output: [rows.small, columns.small, channels],
    size,
    strides,
    padding: [rows.padBefore, columns.padBefore],
  };
}
