// What an implementation behind a seam (an optimizer, a likelihood …) declares of its numbers: config.json,
// flags, options and messages are made of the declarations.
import type { Reader } from './jsonReader.js';

/** Which numbers are allowed, and how a message says so. */
export interface NumberRange {
  readonly what: string;
  readonly accepts: (value: number) => boolean;
}

export const POSITIVE: NumberRange = {
  what: 'a positive number',
  accepts: (value) => value > 0 && value < Number.POSITIVE_INFINITY,
};

export const FROM_ZERO: NumberRange = {
  what: 'a number from 0 up',
  accepts: (value) => value >= 0 && value < Number.POSITIVE_INFINITY,
};

/** The range of a moving average's decay rate. */
export const DECAY_RATE: NumberRange = {
  what: 'a number from 0 up to, but not, 1',
  accepts: (value) => value >= 0 && value < 1,
};

export interface Hyperparameter {
  readonly range: NumberRange;
  /** Never changes: a run that was started without a value has this one. */
  readonly default: number;
  /** For the help. */
  readonly describe: string;
  /**
   * The object of config.json that holds it; such a number has neither a flag nor an option. Absent:
   * config.json itself.
   */
  readonly group?: string;
}

/** By the name of the field in config.json, which is the option's, too; in kebab case it is the flag's. */
export type Hyperparameters = Readonly<Record<string, Hyperparameter>>;

/** A number for each of them. */
export type ValuesOf<H extends Hyperparameters> = { readonly [Name in keyof H]: number };

export type Values = Readonly<Record<string, number>>;

/** The choice of an implementation: its name in the registry, and its hyper-parameters. */
export interface Choice<Name extends string = string> {
  readonly name: Name;
  readonly values: Values;
}

/** Reads a number of the range from JSON. */
export function numberIn({ what, accepts }: NumberRange): Reader<number> {
  return (value, place) => {
    if (typeof value !== 'number' || !accepts(value)) throw place.expected(value, what);
    return value;
  };
}
