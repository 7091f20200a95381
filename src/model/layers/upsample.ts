import { described, objectOf, oneOf } from '../jsonReader.js';
import { type Extent, extent, layerName, pair } from './fields.js';
import { type LayerType, requireMap, unfit } from './layerType.js';

/** Each pixel becomes a block of `size` equal ones: Keras's UpSampling2D, nearest. */
export interface UpsampleSpec {
  readonly type: 'upsample';
  /** Rows and columns of a block. */
  readonly size: Extent;
  readonly name?: string;
}

export const upsample: LayerType<UpsampleSpec> = {
  type: 'upsample',
  stem: 'up_sampling2d',
  describe: 'Repeats each pixel in a block (nearest neighbour)',
  read: objectOf(
    { type: oneOf(['upsample']), size: described(extent, 'Rows and columns of a block') },
    { name: layerName },
  ),
  resolve: (spec, context) => {
    const input = requireMap(context);
    const [height, width, channels] = input;
    const size = pair(spec.size);
    if (size[0] * size[1] === 1) {
      throw unfit(context, 'has a size of one pixel, which enlarges nothing; give it a larger size');
    }
    return [
      {
        kind: 'resample',
        type: 'upsample',
        name: context.name,
        input,
        output: [height * size[0], width * size[1], channels],
        size,
        strides: size,
        padding: [0, 0],
      },
    ];
  },
};
