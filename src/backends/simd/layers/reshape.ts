import { sizeOf } from '../../../model/layout.js';
import type { ReshapeLayer } from '../../../model/model.js';
import { Tensor } from '../../../products/tensor.js';
import { copyTo } from './copy.js';
import type { LayerKind } from './link.js';

export const reshape: LayerKind<ReshapeLayer> = {
  connect: (layer, input) => [copyTo(Tensor.of(layer.output), input)],
  floats: ({ output }) => sizeOf(output),
};
