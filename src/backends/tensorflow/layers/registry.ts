// The only place where the kind of a layer becomes what TensorFlow.js's backends do with it.
import type { Layer } from '../../../model/model.js';
import { activation } from './activation.js';
import { correlation } from './correlation.js';
import { resample } from './resample.js';
import { reshape } from './reshape.js';
import { residual } from './residual.js';
import type { LayerKind } from './step.js';

const KINDS: { readonly [K in Layer['kind']]: LayerKind<Extract<Layer, { readonly kind: K }>> } = {
  correlation,
  activation,
  reshape,
  resample,
  residual,
};

export function layerKindOf(layer: Layer): LayerKind<Layer> {
  return KINDS[layer.kind] as LayerKind<Layer>;
}
