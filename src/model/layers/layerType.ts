import { UsageError } from '../../errors.js';
import type { JsonReader, JsonSchema, Place } from '../jsonReader.js';
import type { ParameterLayoutBuilder } from '../layout.js';
import type { Layer, MapShape, Shape } from '../model.js';

/** What every layer of a spec has. */
export interface LayerFields {
  readonly type: string;
  readonly name?: string;
}

/** A JsonReader, where the layer has no layers inside. */
interface LayerReader<S extends LayerFields> {
  /** @param layers reads a list of layers inside of this one. */
  (value: unknown, place: Place, layers: JsonReader<readonly LayerFields[]>): S;
  readonly schema: JsonSchema;
}

/** The schema of a list of layers, wherever it stands in a document: registry.ts defines it. */
export const LAYERS_SCHEMA: JsonSchema = { $ref: '#/$defs/layers' };

/** One type of layer: the fields of its JSON, and what they make of an input of known shape. */
export interface LayerType<S extends LayerFields> {
  readonly type: S['type'];
  /** The stem of default names, which are numbered as in Keras: conv2d, conv2d_1, … */
  readonly stem: string;
  /** Whether it has weights itself. */
  readonly weighted?: true;
  /** What it does, for editors. */
  readonly describe: string;
  /** The fields, with their schema. */
  readonly read: LayerReader<S>;
  /** @throws UsageError where the layer does not take an input of this shape. */
  resolve(spec: S, context: LayerContext): Layer[];
}

/** What all layers of the encoder, or of the decoder, share. */
export interface Side {
  readonly side: 'encoder' | 'decoder';
  readonly model: string;
  /** The shape of the data. */
  readonly input: MapShape;
  readonly latent: number;
  readonly layout: ParameterLayoutBuilder;
  readonly initialization: 'glorotUniform' | 'fanInUniform';
}

export interface LayerContext extends Side {
  /** Where it stands in the spec: e.g. `encoder[2]`, or `encoder[2].layers[0]`. */
  readonly place: string;
  /** Unique within its side; of a layer inside of another, the other's name and a slash come first. */
  readonly name: string;
  /** The shape of the layer's input. */
  readonly shape: Shape;
  /** Absent: as `initialization` says. */
  readonly biasInitializer: 'zeros' | 'dataMeanLogit' | undefined;
  /** Resolves layers inside of this one, the first of which reads this one's input. */
  resolveInside(specs: readonly LayerFields[]): Layer[];
}

/** e.g. `Model "m": encoder[2] "conv2d" takes a map, …`. */
export function unfit({ model, place, name }: LayerContext, why: string): UsageError {
  return new UsageError(`Model "${model}": ${place} "${name}" ${why}.`);
}

export function isMap(shape: Shape): shape is MapShape {
  return shape.length === 3;
}

/** @throws UsageError where the layer's input is a vector. */
export function requireMap(context: LayerContext): MapShape {
  const { shape } = context;
  if (isMap(shape)) return shape;
  throw unfit(
    context,
    `takes a map [height, width, channels], but its input is [${shape.join(', ')}]; put a reshape layer before it`,
  );
}
