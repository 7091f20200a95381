// Kinds of values that a run can be told: each is read from the options of a call, from the text of a flag
// and, if it stands in config.json, from there.
import { type NumberRange, numberIn } from './hyperparameter.js';
import { type JsonReader, oneOf, positiveInteger, type Reader, withSchema } from './jsonReader.js';
import { pathOf, seed64, trueOrFalse } from './optionReader.js';

/** What a flag takes. The command line turns it into a flag that parses text. */
export type FlagKind =
  /** Digits, from `least` up. */
  | { readonly kind: 'whole'; readonly least: number }
  | { readonly kind: 'number'; readonly range: NumberRange }
  /** The keys are what a user types. */
  | { readonly kind: 'words'; readonly values: Readonly<Record<string, unknown>> }
  /** Unsigned 64 bits. */
  | { readonly kind: 'seed' }
  /** @property words what the shell offers beside files. */
  | { readonly kind: 'path'; readonly what: string; readonly words?: readonly string[] }
  /** Text of one pattern. */
  | { readonly kind: 'text'; readonly what: string; readonly pattern: RegExp }
  /** `--name` or `--no-name`. */
  | { readonly kind: 'switch' };

export interface OptionKind<Option> {
  /** Reads it from the options of a call. */
  readonly option: Reader<Option>;
  /** Absent: the library alone has it. */
  readonly flag?: FlagKind;
  /** Type and range in words, for the reference page. */
  readonly takes: string;
}

export interface ConfigKind<Config, Option = Config> extends OptionKind<Option> {
  /** Reads it from config.json. */
  readonly json: JsonReader<Config>;
  /** From what `option` has read to what config.json has; absent where they are the same. */
  toJson?(option: Option): Config;
}

const words = (list: readonly string[]) => list.map((word) => `\`${word}\``).join(', ');

export const wholeNumber: ConfigKind<number> = {
  json: positiveInteger,
  option: positiveInteger,
  flag: { kind: 'whole', least: 1 },
  takes: 'a whole number from 1 up',
};

export function realNumber(range: NumberRange): ConfigKind<number> {
  const json = numberIn(range);
  return { json, option: json, flag: { kind: 'number', range }, takes: range.inFlags ?? range.what };
}

/** One of a few words, the same everywhere. */
export function oneWord<const W extends string>(list: readonly W[]): ConfigKind<W> {
  return wordsInFlags(Object.fromEntries(list.map((word) => [word, word])) as Readonly<Record<W, W>>);
}

/** @param values what the library and config.json have, by the word of the flag. */
export function wordsInFlags<const W extends string>(values: Readonly<Record<string, W>>): ConfigKind<W> {
  const json = oneOf(Object.values(values));
  const different = Object.entries(values).filter(([word, value]) => word !== value);
  const others = different.map(([word, value]) => ` (\`${value}\` is \`${word}\` in the flag)`);
  return {
    json,
    option: json,
    flag: { kind: 'words', values },
    takes: words(Object.values(values)) + others.join(''),
  };
}

/** The word that a user types for a value. */
export function flagWord({ flag }: OptionKind<unknown>, value: unknown): string {
  const found =
    flag?.kind === 'words'
      ? Object.entries(flag.values).find(([, candidate]) => candidate === value)
      : undefined;
  return found?.[0] ?? String(value);
}

/** 2^64 − 1 has twenty digits. */
const TWENTY_DIGITS = /^(0|[1-9][0-9]{0,19})$/;

const decimal = withSchema<string>(
  // That the largest ones are below 2^64 is the reader's to check.
  { type: 'string', pattern: TWENTY_DIGITS.source },
  (value, place) => {
    if (typeof value !== 'string' || !TWENTY_DIGITS.test(value) || BigInt(value) >= 2n ** 64n) {
      throw place.expected(value, 'a string of decimal digits, from "0" to "18446744073709551615"');
    }
    return value;
  },
);

/** Decimal digits in config.json, because JSON's numbers are doubles. */
export const seedNumber: ConfigKind<string, number | bigint> = {
  json: decimal,
  option: seed64,
  toJson: String,
  flag: { kind: 'seed' },
  takes: 'a whole number from 0 up, below 2⁶⁴; a text in config.json, a bigint in the library above 2⁵³',
};

export const onOrOff: OptionKind<boolean> = {
  option: trueOrFalse,
  flag: { kind: 'switch' },
  takes: '`true` or `false`; `--no-…` is `false`',
};

/** @param inFlags what messages about the flag call it. */
export function pathTo(what: string, inFlags = 'the path of a directory'): OptionKind<string> {
  return { option: pathOf(what), flag: { kind: 'path', what: inFlags }, takes: what };
}

/** For the library alone. */
export function withoutFlag<T>(option: Reader<T>, takes: string): OptionKind<T> {
  return { option, takes };
}
