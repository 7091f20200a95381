// Readers of the fields that several layers have.
import { type ActivationFields, activationNames, activationOf } from '../activations/registry.js';
import type { PaddingName } from '../geometry.js';
import {
  entriesOf,
  objectOf,
  oneOf,
  type Place,
  positiveInteger,
  positiveIntegers,
  type Reader,
} from '../jsonReader.js';

/** One number for both directions, or [rows, columns]. */
export type Extent = number | readonly [number, number];

export const extent: Reader<Extent> = (value, place) => {
  const expectation = 'a positive integer or a list [rows, columns]';
  if (typeof value === 'number') return positiveInteger(value, place);
  const [rows, columns] = positiveIntegers([2], expectation)(value, place);
  return [rows!, columns!];
};

export function pair(of: Extent): readonly [number, number] {
  return typeof of === 'number' ? [of, of] : of;
}

export const padding: Reader<PaddingName> = oneOf(['valid', 'same']);

/** Names become parts of parameter names (`encoder/conv2d/weights`) and of file names. */
export const layerName: Reader<string> = (value, place) => {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(value)) {
    throw place.expected(
      value,
      'a name of 1 to 64 letters, digits, "_", "-" and ".", first a letter or digit',
    );
  }
  return value;
};

const nameOfActivation = oneOf(
  activationNames,
  '; leave it out for a linear layer (the sigmoid over the last logits is part of the likelihood)',
);

/**
 * The activation of a layer with weights: its name, or an object with its name as `type` and its settings.
 */
export const activation: Reader<ActivationFields['type'] | ActivationFields> = (value, place) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return nameOfActivation(value, place);
  return activationObject(value, place);
};

function activationObject(value: object, place: Place): ActivationFields {
  const type = entriesOf(value, place).find(([key]) => key === 'type')?.[1];
  const fields = activationFields(nameOfActivation(type, place.key('type')));
  return objectOf(fields.required, fields.optional)(value, place) as ActivationFields;
}

/** The readers of an activation's fields. */
export function activationFields(name: ActivationFields['type']) {
  const { settings } = activationOf(name);
  const optional = Object.fromEntries(Object.entries(settings).map(([key, { read }]) => [key, read]));
  return { required: { type: oneOf([name]) }, optional };
}
