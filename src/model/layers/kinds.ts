// What resolved layers have in common, by kind: the only place where a kind becomes what `inspect` prints of
// it.
import type { CorrelationLayer, Layer, ResampleLayer } from '../model.js';

interface LayerKind<L extends Layer> {
  /** e.g. `conv2d 3x3 /2`. */
  text(layer: L): string;
  /** The multiply-adds of one example's forward pass, without those of layers inside; default 0. */
  multiplyAdds?(layer: L): number;
  /** The layers inside, in the order of the data; default none. */
  inside?(layer: L): readonly Layer[];
}

const KINDS: { readonly [K in Layer['kind']]: LayerKind<Extract<Layer, { readonly kind: K }>> } = {
  correlation: {
    text: (layer) => (layer.type === 'dense' ? 'dense' : convolutionText(layer)),
    // Every pixel of the small map meets every tap once; taps that fall on padding are counted too.
    multiplyAdds: ({ small, weights }) => small[0] * small[1] * weights.size,
  },
  activation: {
    text: ({ activation, settings = {} }) => [activation, ...Object.values(settings)].join(' '),
  },
  reshape: { text: () => 'reshape' },
  resample: { text: resampleText },
  residual: { text: () => 'residual', inside: ({ layers }) => layers },
};

function kindOf(layer: Layer): LayerKind<Layer> {
  return KINDS[layer.kind] as LayerKind<Layer>;
}

export function layerText(layer: Layer): string {
  return kindOf(layer).text(layer);
}

/** Multiply-adds of one example's forward pass through the layer itself. */
export function layerMultiplyAdds(layer: Layer): number {
  return kindOf(layer).multiplyAdds?.(layer) ?? 0;
}

/**
 * The layers with all that are inside of them, in the order of the data: a layer comes behind those inside of
 * it.
 */
export function everyLayer(layers: readonly Layer[]): Layer[] {
  return layers.flatMap((layer) => [...everyLayer(kindOf(layer).inside?.(layer) ?? []), layer]);
}

/** The same layers in the order of a list with indents: a layer comes before those inside of it. */
export function outline(layers: readonly Layer[]): Layer[] {
  return layers.flatMap((layer) => [layer, ...outline(kindOf(layer).inside?.(layer) ?? [])]);
}

/** The layers with weights, those inside of others among them, in the order of the data. */
export function weightedLayers(layers: readonly Layer[]): CorrelationLayer[] {
  return everyLayer(layers).filter((layer) => layer.kind === 'correlation');
}

function convolutionText({ type, kernel, strides }: CorrelationLayer): string {
  return `${type} ${kernel.join('x')} /${stridesText(strides)}`;
}

function resampleText({ type, size, strides }: ResampleLayer): string {
  return type === 'upsample'
    ? `upsample ${size.join('x')}`
    : `${type} ${size.join('x')} /${stridesText(strides)}`;
}

function stridesText([rows, columns]: readonly [number, number]): string {
  return rows === columns ? `${rows}` : `${rows}x${columns}`;
}
