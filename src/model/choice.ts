// The choice of an implementation from JSON or from options, with a number for each hyper-parameter.
import { type Choice, type Hyperparameters, numberIn, type Values } from './hyperparameter.js';
import { type JsonReader, objectOf, oneOf, type Reader, withSchema } from './jsonReader.js';

/** @param implementations a registry. */
export function choiceAmong<Name extends string>(
  implementations: Readonly<Record<Name, { readonly hyperparameters: Hyperparameters }>>,
): Reader<Choice<Name>> {
  const named = oneOf(Object.keys(implementations) as Name[]);
  const whole = withSchema<unknown>({}, (inner) => inner);
  return (value, place) => {
    const { name } = objectOf({ name: named }, { values: whole })(value, place);
    const declared = Object.entries(implementations[name].hyperparameters);
    const numbers = declared.map(([key, { range }]) => [key, numberIn(range)] as const);
    const values: JsonReader<Values> = objectOf(Object.fromEntries(numbers), {});
    return objectOf({ name: named, values }, {})(value, place) as Choice<Name>;
  };
}
