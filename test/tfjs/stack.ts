// A stack of layers as plain data, and the model of tfjs-layers that it describes.

import type * as Layers from '@tensorflow/tfjs-layers';

export type Tfl = typeof Layers;
type Symbolic = ReturnType<Tfl['input']>;

/** A factory of `tf.layers` and its options; layers and cells among the options are specs, too. */
export interface LayerSpec {
  readonly layer: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Takes the tensor and its tanh: `add`, `concatenate`, `dot` … */
  readonly merges?: boolean;
}

export interface Stack {
  /** With the batch. */
  readonly batchShape: readonly number[];
  /** Inputs are whole numbers below this, where it is given. */
  readonly vocabulary?: number;
  readonly layers: readonly LayerSpec[];
}

interface Applied {
  apply(input: Symbolic | Symbolic[]): Symbolic;
}

function isSpec(value: unknown): value is LayerSpec {
  return typeof value === 'object' && value !== null && 'layer' in value && 'options' in value;
}

/** @throws Error where tf.layers has no such factory, or the layer refuses its options. */
export function layerOf(tfl: Tfl, { layer, options }: LayerSpec): Applied {
  const make = tfl.layers[layer as 'dense'] as unknown as (options: object) => Applied;
  const made = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(made);
    return isSpec(value) ? layerOf(tfl, value) : value;
  };
  return make(Object.fromEntries(Object.entries(options).map(([name, value]) => [name, made(value)])));
}

/** The layers of the stack, then a dense layer to one output. */
export function modelOf(tfl: Tfl, { batchShape, layers }: Stack): Layers.LayersModel {
  const input = tfl.input({ batchShape: [...batchShape] });
  let x = input;
  for (const spec of layers) x = appliedTo(tfl, spec, x);
  if (x.shape.length > 2) x = layerOf(tfl, { layer: 'flatten', options: {} }).apply(x);
  const outputs = layerOf(tfl, { layer: 'dense', options: { units: 1 } }).apply(x);
  return tfl.model({ inputs: input, outputs });
}

export function appliedTo(tfl: Tfl, spec: LayerSpec, x: Symbolic): Symbolic {
  const layer = layerOf(tfl, spec);
  if (spec.merges !== true) return layer.apply(x);
  const other = layerOf(tfl, { layer: 'activation', options: { activation: 'tanh' } });
  return layer.apply([x, other.apply(x)]);
}

/** All layers, those in wrappers included. */
export function allLayers(specs: readonly LayerSpec[]): LayerSpec[] {
  return specs.flatMap((spec) => [spec, ...allLayers(Object.values(spec.options).flat().filter(isSpec))]);
}
