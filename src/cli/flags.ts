// Flags of the command line: what each takes, in words, and how its text becomes a value.
import { UsageError } from '../errors.js';
import { type NumberRange, withoutSign } from '../model/hyperparameter.js';
import { nearestName } from '../nearestName.js';

/** `--name VALUE`. */
export interface ValueFlag<T> {
  readonly kind: 'value';
  readonly describe: string;
  /** What holds where the flag is absent, as `--help` shows it. */
  readonly default: string;
  /** Heading of the help. */
  readonly group?: string;
  /** Another name: a letter after one dash, or a word after two. */
  readonly alias?: string;
  /** The words that it takes, for the shell to complete; absent where it takes anything else. */
  readonly words?: readonly string[];
  /** Whether it names a file or a directory, which the shell completes by itself. */
  readonly isPath?: boolean;
  /**
   * @param name as messages have it, e.g. `--workers`.
   * @throws UsageError with the name, what it takes and what was given.
   */
  readonly parse: (text: string, name: string) => T;
}

/** `--name` or `--no-name`. */
export interface SwitchFlag {
  readonly kind: 'switch';
  readonly describe: string;
  readonly default: string;
  readonly group?: string;
}

export type Flag = ValueFlag<unknown> | SwitchFlag;
export type Flags = Readonly<Record<string, Flag>>;

/** The values of the flags that were given. */
export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]?: F[K] extends ValueFlag<infer T> ? T : boolean;
};

/** The same flags under a heading of the help. */
export function inGroup<F extends Flags>(group: string, flags: F): F {
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, { ...flag, group }])) as F;
}

interface FlagText {
  readonly describe: string;
  readonly default: string;
  readonly alias?: string;
}

export function switchFlag(text: Omit<FlagText, 'alias'>): SwitchFlag {
  return { kind: 'switch', ...text };
}

/** A whole number from `least` up, or to `most`. */
export function wholeNumber(least: number, text: FlagText & { readonly most?: number }): ValueFlag<number> {
  const { most, ...rest } = text;
  const range = most === undefined ? `from ${least} up` : `from ${least} to ${most}`;
  return {
    kind: 'value',
    ...rest,
    parse: (given, name) => {
      const value = parseDigits(given);
      if (value === undefined || value < least || value > (most ?? value)) {
        throw wrong(name, `a whole number ${range}`, given);
      }
      return value;
    },
  };
}

/** A real number of a range. */
export function numberIn(range: NumberRange, text: FlagText): ValueFlag<number> {
  const what = range.inFlags ?? range.what;
  return {
    kind: 'value',
    ...text,
    parse: (given, name) => {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given) ? Number(given) : Number.NaN;
      if (!range.accepts(value)) throw wrong(name, what, given);
      return withoutSign(value);
    },
  };
}

/** Unsigned 64 bits. */
export function seedNumber(text: FlagText): ValueFlag<bigint> {
  return {
    kind: 'value',
    ...text,
    parse: (given, name) => {
      // The length first: BigInt takes time that grows with the square of the digits.
      const value = /^\d{1,20}$/.test(given) ? BigInt(given) : undefined;
      if (value === undefined || value >= 2n ** 64n) {
        throw wrong(name, `a whole number from 0 to ${2n ** 64n - 1n}`, given);
      }
      return value;
    },
  };
}

/** One of the words that are the keys of `values`. */
export function choice<const T>(values: Readonly<Record<string, T>>, text: FlagText): ValueFlag<T> {
  const words = Object.keys(values);
  return {
    kind: 'value',
    ...text,
    words,
    parse: (given, name) => {
      if (!Object.hasOwn(values, given)) {
        throw wrong(name, `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`, given, words);
      }
      return values[given]!;
    },
  };
}

/** Text of one pattern. */
export function textLike(pattern: RegExp, what: string, text: FlagText): ValueFlag<string> {
  return {
    kind: 'value',
    ...text,
    parse: (given, name) => {
      if (!pattern.test(given)) throw wrong(name, what, given);
      return given;
    },
  };
}

/** A path or a name: any text but an empty one. */
export function path(
  what: string,
  text: FlagText & { readonly words?: readonly string[] },
): ValueFlag<string> {
  return {
    kind: 'value',
    ...text,
    isPath: true,
    parse: (given, name) => {
      if (given === '') throw wrong(name, what, given);
      return given;
    },
  };
}

/** The path of a file with an ending, e.g. `.npy`. */
export function filePath(ending: string, text: FlagText): ValueFlag<string> {
  return {
    kind: 'value',
    ...text,
    isPath: true,
    parse: (given, name) => {
      const named = given.length > ending.length && !/[/\\]$/.test(given.slice(0, -ending.length));
      if (!named || !given.toLowerCase().endsWith(ending)) {
        throw wrong(name, `the path of a file that ends in ${ending}`, given);
      }
      return given;
    },
  };
}

/** FIRST:END, whole numbers from 0 up, END left out. */
export function exampleRange(text: FlagText): ValueFlag<{ readonly first: number; readonly end: number }> {
  return {
    kind: 'value',
    ...text,
    parse: (given, name) => {
      const parts = given.split(':').map(parseDigits);
      const [first, end] = parts;
      if (parts.length !== 2 || first === undefined || end === undefined || first >= end) {
        throw wrong(name, 'a range FIRST:END of whole numbers from 0 up, FIRST below END', given);
      }
      return { first, end };
    },
  };
}

export function pngPath(text: FlagText): ValueFlag<string> {
  return {
    kind: 'value',
    ...text,
    isPath: true,
    parse: (given, name) => {
      if (!/[^/\\]\.png$/i.test(given)) throw wrong(name, 'the path of a file that ends in .png', given);
      return given;
    },
  };
}

/** Whole numbers from 0 up, separated by commas. */
export function indexList(text: FlagText): ValueFlag<readonly number[]> {
  return {
    kind: 'value',
    ...text,
    parse: (given, name) =>
      given.split(',').map((part) => {
        const index = parseDigits(part);
        if (index === undefined) {
          throw wrong(name, 'one or more whole numbers from 0 up, separated by commas', given);
        }
        return index;
      }),
  };
}

/** For messages: quoted, and short whatever was typed. */
export function quote(text: string): string {
  return JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 60)}…`);
}

function parseDigits(text: string): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

function wrong(name: string, takes: string, given: string, words: readonly string[] = []): UsageError {
  const nearest = nearestName(given, words);
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  return new UsageError(`${name} takes ${takes}, not ${quote(given)}.${hint}`);
}
