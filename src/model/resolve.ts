// From a spec to a model: every shape inferred, every parameter placed, and whatever does not fit refused.
import { UsageError } from '../errors.js';
import { choiceAmong } from './choice.js';
import type { Choice } from './hyperparameter.js';
import { layerNames } from './layerNames.js';
import { isName } from './layers/fields.js';
import { everyLayer, weightedLayers } from './layers/kinds.js';
import type { LayerContext, LayerFields, Side } from './layers/layerType.js';
import { hasWeights, layerTypeOf, weightedTypeNames } from './layers/registry.js';
import { mostFloats, ParameterLayoutBuilder, sizeOf } from './layout.js';
import type { Layer, MapShape, Model, Shape } from './model.js';
import { type OptionTable, readOptions } from './optionReader.js';
import { parseModelSpec, readLatent, readMapShape } from './parse.js';
import {
  type ModelPrior,
  PRIORS,
  type PriorName,
  priorParameters,
  STANDARD_NORMAL,
} from './priors/registry.js';
import type { ModelSpec } from './spec.js';

export interface ResolveOptions {
  /** [height, width, channels] of the data; may be absent where the spec has it. */
  readonly input?: MapShape | undefined;
  /** Overrides the spec's latent. */
  readonly latent?: number | undefined;
  /** p(z); default standard normal. */
  readonly prior?: Choice<PriorName> | undefined;
}

const RESOLVE_OPTIONS: OptionTable<ResolveOptions> = {
  input: readMapShape,
  latent: readLatent,
  prior: choiceAmong(PRIORS),
};

/**
 * Infers all shapes of `spec` and lays out its parameters: encoder, decoder, prior; of a layer its weights,
 * then its bias.
 *
 * @throws UsageError naming the layer, the shape found and the shape expected.
 */
export function resolveModel(spec: ModelSpec, options: ResolveOptions = {}): Model {
  const checked = parseModelSpec(spec, isName(spec?.name) ? `Model "${spec.name}"` : 'The model');
  const given = readOptions(options, RESOLVE_OPTIONS, 'resolveModel()');
  const input = agreeOnInput(checked, given.input);
  const latent = given.latent ?? checked.latent;
  const context: Context = {
    model: checked.name,
    input,
    latent,
    layout: new ParameterLayoutBuilder(checked.name),
    initialization: checked.initialization ?? 'glorotUniform',
  };
  const [encoder, decoder] = [resolveEncoder(checked, context), resolveDecoder(checked, context)];
  const prior = placePrior(given.prior ?? STANDARD_NORMAL, context);
  return {
    name: checked.name,
    input,
    dimensions: sizeOf(input),
    latent,
    encoder,
    decoder,
    prior,
    parameters: context.layout.finish(),
  };
}

type Context = Omit<Side, 'side'>;

function agreeOnInput(spec: ModelSpec, input: MapShape | undefined): MapShape {
  if (input === undefined && spec.input === undefined) {
    throw new UsageError(
      `Model "${spec.name}" does not say the shape of its input, and there is no data to take it from.` +
        ` Add "input": [height, width, channels] to the model.`,
    );
  }
  if (input !== undefined) requireInput(spec, input);
  return (input ?? spec.input)!;
}

/**
 * @throws UsageError with both shapes, where the model says the shape of its examples and the data have
 * another one.
 */
export function requireInput(spec: Pick<ModelSpec, 'name' | 'input'>, data: MapShape): void {
  if (spec.input === undefined || `${data}` === `${spec.input}`) return;
  throw new UsageError(
    `Model "${spec.name}" is made for examples of shape [${spec.input.join(', ')}], but the data's are ` +
      `[${data.join(', ')}] (height, width, channels). Use other data, or leave "input" out of the model.`,
  );
}

function resolveEncoder(spec: ModelSpec, context: Context): Layer[] {
  const layers = resolveLayers(spec.encoder, context.input, { ...context, side: 'encoder' }, undefined);
  const output = layers.at(-1)!.output;
  const expected = 2 * context.latent;
  if (output.length !== 1 || output[0] !== expected) {
    throw new UsageError(
      `Model "${spec.name}": the encoder ends in [${output.join(', ')}], expected [${expected}]: mean and ` +
        `log-variance of ${context.latent} latent dimensions. End it in a dense layer of units "posterior".`,
    );
  }
  return layers;
}

function resolveDecoder(spec: ModelSpec, context: Context): Layer[] {
  const { input } = context;
  const side: Side = { ...context, side: 'decoder' };
  const layers = resolveLayers(spec.decoder, [context.latent], side, spec.outputBias);
  const output = layers.at(-1)!.output;
  const dimensions = sizeOf(input);
  if (`${output}` !== `${dimensions}` && `${output}` !== `${input}`) {
    throw new UsageError(
      `Model "${spec.name}": the decoder ends in [${output.join(', ')}], expected the logits of an example: ` +
        `[${input.join(', ')}] or [${dimensions}]. End it in a dense layer of units "pixels", or in a convolution ` +
        `of filters "channels" on a ${input[0]}×${input[1]} map.`,
    );
  }
  if (spec.outputBias === 'dataMean') refuseUnfitOutputBias(spec.name, layers, dimensions);
  return layers;
}

function placePrior(choice: Choice<PriorName>, { layout, latent }: Context): ModelPrior {
  const offset = layout.size;
  for (const { name, shape, initializer } of priorParameters(choice, latent)) {
    layout.add(`prior/${name}`, shape, { kind: initializer });
  }
  return { choice, offset, size: layout.size - offset };
}

function resolveLayers(
  specs: readonly LayerFields[],
  input: Shape,
  side: Side,
  outputBias: ModelSpec['outputBias'],
): Layer[] {
  if (!specs.some(hasWeights)) {
    throw new UsageError(
      `Model "${side.model}": the ${side.side} has no layer with weights (${weightedNames()}), so ` +
        `there is nothing to train.`,
    );
  }
  const biasInitializer = outputBias === 'dataMean' ? 'dataMeanLogit' : outputBias;
  return resolveList(specs, new Activations(side, sizeOf(input)), {
    ...side,
    ...{ shape: input, place: side.side, prefix: '', biasInitializer },
    where: `Model "${side.model}": the ${side.side}`,
  });
}

function weightedNames(): string {
  return `${weightedTypeNames.slice(0, -1).join(', ')} or ${weightedTypeNames.at(-1)}`;
}

/** A list of layers: of the encoder, of the decoder, or inside of a layer. */
interface List extends Pick<LayerContext, keyof Side | 'shape' | 'place'> {
  /** Comes before its layers' names. */
  readonly prefix: string;
  /** Begins messages about the list. */
  readonly where: string;
  /** The bias initializer of its last layer with weights. */
  readonly biasInitializer: LayerContext['biasInitializer'];
}

function resolveList(specs: readonly LayerFields[], activations: Activations, list: List): Layer[] {
  const names = layerNames(specs, list.where);
  const layers: Layer[] = [];
  const lastWeighted = specs.findLastIndex(hasWeights);
  for (const [index, spec] of specs.entries()) {
    const context: LayerContext = {
      ...list,
      place: `${list.place}[${index}]`,
      name: `${list.prefix}${names[index]!}`,
      shape: layers.at(-1)?.output ?? list.shape,
      biasInitializer: index === lastWeighted ? list.biasInitializer : undefined,
      resolveInside: (inside) => resolveList(inside, activations, listInside(context)),
    };
    for (const layer of layerTypeOf(spec).resolve(spec, context)) {
      activations.add(layer, context.place);
      layers.push(layer);
    }
  }
  return layers;
}

function listInside(context: LayerContext): List {
  const place = `${context.place}.layers`;
  return { ...context, place, prefix: `${context.name}/`, where: `Model "${context.model}": ${place}` };
}

/** Counts the floats of one example on one side. */
class Activations {
  constructor(
    readonly side: Side,
    private floats: number,
  ) {}

  /** @throws UsageError where the layer, at `place`, brings them past the limit. */
  add({ name, output }: Layer, place: string): void {
    this.floats += sizeOf(output);
    if (this.floats <= mostFloats) return;
    throw new UsageError(
      `Model "${this.side.model}": ${place} "${name}" of output [${output.join(', ')}] brings the ` +
        `activations of one example to ${this.floats} floats, more than the limit of ${mostFloats}. Use smaller layers.`,
    );
  }
}

/** The logit of a pixel's mean must reach that pixel's logit as it is. */
function refuseUnfitOutputBias(model: string, layers: readonly Layer[], dimensions: number): void {
  const { name, bias } = weightedLayers(layers).at(-1)!;
  if (bias.size !== dimensions) {
    throw new UsageError(
      `Model "${model}": outputBias "dataMean" needs one bias a pixel, ${dimensions} in all, but the bias of the ` +
        `decoder's last layer with weights, "${name}", has shape [${bias.shape.join(', ')}]. End the decoder in a ` +
        `dense layer of units "pixels", or leave outputBias out.`,
    );
  }
  const every = everyLayer(layers);
  const index = every.findIndex((layer) => layer.name === name);
  const after = every.slice(index + 1).find(({ kind }) => kind !== 'reshape');
  if (after !== undefined) {
    throw new UsageError(
      `Model "${model}": outputBias "dataMean" sets the logits themselves, but "${after.name}" follows the ` +
        `decoder's last layer with weights, "${name}". Remove that ${after.kind === 'activation' ? 'activation' : 'layer'}, ` +
        `or leave outputBias out.`,
    );
  }
}
