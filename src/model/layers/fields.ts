// Readers of the fields that several layers have.
import { type ActivationFields, activationNames, activationOf } from '../activations/registry.js';
import type { PaddingName } from '../geometry.js';
import {
  described,
  entriesOf,
  type JsonReader,
  objectOf,
  oneOf,
  type Place,
  positiveInteger,
  positiveIntegers,
  withSchema,
} from '../jsonReader.js';

/** One number for both directions, or [rows, columns]. */
export type Extent = number | readonly [number, number];

const rowsAndColumns = positiveIntegers([2], 'a positive integer or a list [rows, columns]');

export const extent: JsonReader<Extent> = withSchema(
  { anyOf: [positiveInteger.schema, rowsAndColumns.schema] },
  (value, place) => {
    if (typeof value === 'number') return positiveInteger(value, place);
    const [rows, columns] = rowsAndColumns(value, place);
    return [rows!, columns!];
  },
);

export function pair(of: Extent): readonly [number, number] {
  return typeof of === 'number' ? [of, of] : of;
}

export const padding: JsonReader<PaddingName> = described(
  oneOf(['valid', 'same']),
  'valid: none; same: zeros around the map, as in Keras',
);

/** Names become parts of parameter names (`encoder/conv2d/weights`) and of file names. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

export const layerName: JsonReader<string> = withSchema(
  { type: 'string', pattern: NAME.source },
  (value, place) => {
    if (!isName(value)) {
      throw place.expected(
        value,
        'a name of 1 to 64 letters, digits, "_", "-" and ".", first a letter or digit',
      );
    }
    return value;
  },
);

const nameOfActivation = oneOf(
  activationNames,
  '; leave it out for a linear layer (the sigmoid over the last logits is part of the likelihood)',
);

/**
 * The activation of a layer with weights: its name, or an object with its name as `type` and its settings.
 */
export const activation: JsonReader<ActivationFields['type'] | ActivationFields> = withSchema(
  {
    description: 'What follows the layer. Default: none, the layer is linear',
    anyOf: [nameOfActivation.schema, ...activationNames.map((name) => activationReader(name).schema)],
  },
  (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return nameOfActivation(value, place);
    return activationObject(value, place);
  },
);

function activationObject(value: object, place: Place): ActivationFields {
  const type = entriesOf(value, place).find(([key]) => key === 'type')?.[1];
  if (type === undefined) {
    throw place.key('type').error(`is missing, expected one of ${activationNames.join(', ')}`);
  }
  return activationReader(nameOfActivation(type, place.key('type')))(value, place) as ActivationFields;
}

function activationReader(name: ActivationFields['type']) {
  const { required, optional } = activationFields(name);
  return objectOf(required, optional);
}

/** The readers of an activation's fields. */
export function activationFields(name: ActivationFields['type']) {
  const { settings } = activationOf(name);
  const optional = Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [
      key,
      described(setting.read, `Default ${setting.default}`),
    ]),
  );
  return { required: { type: oneOf([name]) }, optional };
}
