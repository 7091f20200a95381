// What an implementation behind a seam (an optimizer, a likelihood …) declares of its numbers: config.json,
// flags, options and messages are made of the declarations.
import { type JsonReader, type JsonSchema, withSchema } from './jsonReader.js';

/** Which numbers are allowed, and how a message says so. Infinity and NaN never are. */
export interface NumberRange {
  readonly what: string;
  /** Where messages about a flag say it in other words. */
  readonly inFlags?: string;
  readonly accepts: (value: number) => boolean;
  readonly schema: JsonSchema;
}

interface Bounds {
  readonly from?: number;
  readonly above?: number;
  readonly upTo?: number;
  readonly below?: number;
}

/** @param what the range in words, for messages. */
export function rangeOf(what: string, bounds: Bounds, inFlags?: string): NumberRange {
  const { from, above, upTo, below } = bounds;
  const keywords = { minimum: from, exclusiveMinimum: above, maximum: upTo, exclusiveMaximum: below };
  return {
    what,
    ...(inFlags === undefined ? {} : { inFlags }),
    accepts: (value) =>
      Number.isFinite(value) &&
      (from === undefined || value >= from) &&
      (above === undefined || value > above) &&
      (upTo === undefined || value <= upTo) &&
      (below === undefined || value < below),
    schema: Object.fromEntries(
      Object.entries({ type: 'number', ...keywords }).filter(([, bound]) => bound !== undefined),
    ),
  };
}

/** Whole numbers in a range. */
export function wholeRange(from: number, upTo: number): NumberRange {
  return {
    what: `a whole number from ${from} to ${upTo}`,
    accepts: (value) => Number.isInteger(value) && value >= from && value <= upTo,
    schema: { type: 'integer', minimum: from, maximum: upTo },
  };
}

export const POSITIVE = rangeOf('a positive number', { above: 0 }, 'a number above 0');

export const FROM_ZERO = rangeOf('a number from 0 up', { from: 0 });

/** The range of a moving average's decay rate. */
export const DECAY_RATE = rangeOf('a number from 0 up to, but not, 1', { from: 0, below: 1 });

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

/** Zero for −0, which is another number to whoever compares bits, and the same one to whoever writes it. */
export function withoutSign(value: number): number {
  return value === 0 ? 0 : value;
}

/** Reads a number of the range from JSON. */
export function numberIn({ what, accepts, schema }: NumberRange): JsonReader<number> {
  return withSchema(schema, (value, place) => {
    if (typeof value !== 'number' || !accepts(value)) throw place.expected(value, what);
    return withoutSign(value);
  });
}
