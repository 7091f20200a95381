// Readers of the options of a call: what JSON has not, and whole tables of options.
import type { AbortSignalLike } from '../abortSignal.js';
import { UsageError } from '../errors.js';
import { nearestName } from '../nearestName.js';
import { entriesOf, type JsonReader, Place, type Reader, withSchema } from './jsonReader.js';

/** One reader for each option of T, and no other: the compiler sees to both. */
export type OptionTable<T extends object> = {
  readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>>;
};

/**
 * The options of a call, each read by the table's reader. An option that is undefined counts as absent.
 *
 * @param call what the messages call it, e.g. `train()`.
 * @throws UsageError naming the option, what was found and what is expected; for an option that the table
 * lacks, the nearest one that it has.
 */
export function readOptions<T extends object>(options: unknown, table: OptionTable<T>, call: string): T {
  const readers = new Map(Object.entries<Reader<unknown>>(table));
  const place = new Place(call, 'options');
  const read = entriesOf(options, place, 'an object').map(([name, value]) => {
    const reader = readers.get(name);
    if (reader === undefined) throw unknownOption(name, [...readers.keys()], call);
    return [name, reader(value, new Place(call, name))];
  });
  return Object.fromEntries(read) as T;
}

function unknownOption(name: string, known: readonly string[], call: string): UsageError {
  const nearest = nearestName(name, known);
  const shown = JSON.stringify(name.length <= 40 ? name : `${name.slice(0, 40)}…`);
  return new UsageError(
    `${call}: there is no option ${shown}${nearest === undefined ? '.' : `; did you mean "${nearest}"?`} ` +
      `Options are ${known.join(', ')}.`,
  );
}

/**
 * A path: not empty, and without a zero byte, which no file system takes. `what` says of what, e.g. `the path
 * of a directory`.
 */
export function pathOf(what: string): Reader<string> {
  return (value, place) => {
    if (typeof value !== 'string' || value === '' || value.includes('\0')) throw place.expected(value, what);
    return value;
  };
}

export const trueOrFalse: Reader<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw place.expected(value, 'true or false');
  return value;
};

/** A number or, for those above 2^53, a bigint. */
export const seed64: Reader<number | bigint> = (value, place) => {
  const valid =
    typeof value === 'bigint'
      ? value >= 0n && value < 2n ** 64n
      : Number.isSafeInteger(value) && Number(value) >= 0;
  if (!valid) throw place.expected(value, 'a whole number from 0 up, below 2^64 (a bigint above 2^53)');
  return value as number | bigint;
};

/** No JSON has one. */
export function functionOf<F extends (...values: never[]) => unknown>(): JsonReader<F> {
  return withSchema({ not: {} }, (value, place) => {
    if (typeof value !== 'function') throw place.expected(value, 'a function');
    return value as F;
  });
}

/** By what it can do rather than by its class, which may be another realm's. */
export const abortSignal: Reader<AbortSignalLike> = (value, place) => {
  const signal = value as Partial<AbortSignalLike> | null;
  if (
    typeof signal !== 'object' ||
    typeof signal?.aborted !== 'boolean' ||
    typeof signal.addEventListener !== 'function' ||
    typeof signal.removeEventListener !== 'function'
  ) {
    throw place.expected(value, 'an AbortSignal');
  }
  return signal as AbortSignalLike;
};
