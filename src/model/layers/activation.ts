// Activations, as layers of their own and behind a layer with weights.
import {
  type ActivationFields,
  type ActivationName,
  activationOf,
  activationSettings,
} from '../activations/registry.js';
import { type JsonReader, objectOf } from '../jsonReader.js';
import type { ActivationLayer, CorrelationLayer, Layer, Shape } from '../model.js';
import { activationFields, layerName } from './fields.js';
import type { LayerType } from './layerType.js';

export type ActivationSpec = ActivationFields & { readonly name?: string };

/** The layer that has the name of an activation. */
export function activationType(name: ActivationName): LayerType<ActivationSpec> {
  const { required, optional } = activationFields(name);
  return {
    type: name,
    stem: activationOf(name).stem,
    describe: activationOf(name).describe,
    read: objectOf(required, { ...optional, name: layerName }) as JsonReader<ActivationSpec>,
    resolve: (spec, context) => [activationLayer(spec, context.name, context.shape)],
  };
}

/** A layer with weights, and behind it the activation that its spec names. */
export function withActivation(
  layer: CorrelationLayer,
  activation: ActivationName | ActivationFields | undefined,
): Layer[] {
  if (activation === undefined) return [layer];
  const fields = typeof activation === 'string' ? ({ type: activation } as const) : activation;
  // No layer has this name: names hold no slash.
  return [layer, activationLayer(fields, `${layer.name}/${fields.type}`, layer.output)];
}

function activationLayer(fields: ActivationFields, name: string, shape: Shape): ActivationLayer {
  const { type: activation } = fields;
  const settings = activationSettings(fields);
  return {
    kind: 'activation',
    name,
    activation,
    ...(settings === undefined ? {} : { settings }),
    input: shape,
    output: shape,
  };
}
