// The only place where the kind of a layer becomes what the simd backend does with it.

import { everyLayer } from '../../../model/layers/kinds.js';
import type { Layer } from '../../../model/model.js';
import { activation } from './activation.js';
import { correlation } from './correlation.js';
import type { Flow, LayerKind, Link } from './link.js';
import { resample } from './resample.js';
import { reshape } from './reshape.js';
import { residual } from './residual.js';

const KINDS: { readonly [K in Layer['kind']]: LayerKind<Extract<Layer, { readonly kind: K }>> } = {
  correlation,
  activation,
  reshape,
  resample,
  residual,
};

function kindOf(layer: Layer): LayerKind<Layer> {
  return KINDS[layer.kind] as LayerKind<Layer>;
}

/** The links of layers one behind the other. */
export function connectLayers(layers: readonly Layer[], input: Flow): Link[] {
  const links: Link[] = [];
  for (const layer of layers) {
    links.push(...kindOf(layer).connect(layer, links.at(-1)?.output ?? input, connectLayers));
  }
  return links;
}

/** Floats of an example's activations; their gradients are as many. */
export function activationFloats(layers: readonly Layer[]): number {
  return everyLayer(layers).reduce((sum, layer) => sum + kindOf(layer).floats(layer), 0);
}
