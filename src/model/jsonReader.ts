// Readers of unknown JSON: each returns its value typed and rebuilt from known keys, or throws a sentence
// that names the place, what was found and what is expected. Those of files carry the JSON schema of what
// they accept.
import { UsageError } from '../errors.js';
import { nearestName } from '../nearestName.js';

/** A value's place: the document it came from and its path therein, e.g. `encoder[2].strides`. */
export class Place {
  constructor(
    readonly source: string,
    readonly path: string = '',
  ) {}

  key(key: string): Place {
    return new Place(this.source, this.path === '' ? key : `${this.path}.${key}`);
  }

  index(index: number): Place {
    return new Place(this.source, `${this.path}[${index}]`);
  }

  /** A UsageError that says what `value` is and what it should be. */
  expected(value: unknown, expectation: string): UsageError {
    return this.error(`is ${describeValue(value)}, expected ${expectation}`);
  }

  error(rest: string): UsageError {
    return new UsageError(`${this.source}: ${this.path === '' ? 'the document' : this.path} ${rest}.`);
  }
}

export type Reader<T> = (value: unknown, place: Place) => T;

/** A JSON schema, or a part of one: draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** A reader with the schema of what it accepts. Rules that a schema cannot express are the reader's alone. */
export interface JsonReader<T> {
  (value: unknown, place: Place): T;
  readonly schema: JsonSchema;
}

export function withSchema<T>(schema: JsonSchema, read: Reader<T>): JsonReader<T> {
  return Object.assign((value: unknown, place: Place) => read(value, place), { schema });
}

/** The same reader, whose schema says what the value means, for editors. */
export function described<T>(reader: JsonReader<T>, description: string): JsonReader<T> {
  return withSchema({ description, ...reader.schema }, reader);
}

type Fields = Readonly<Record<string, JsonReader<unknown>>>;
type Read<R extends JsonReader<unknown>> = ReturnType<R>;
type ReadObject<R extends Fields, O extends Fields> = { readonly [K in keyof R]: Read<R[K]> } & {
  readonly [K in keyof O]?: Read<O[K]>;
};

export const positiveInteger: JsonReader<number> = withSchema(
  { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  (value, place) => {
    if (!isPositiveInteger(value)) throw place.expected(value, 'a positive integer');
    return value;
  },
);

/** A positive integer, or one of a few words that stand for one. */
export function positiveIntegerOr<const W extends string>(...words: readonly W[]): JsonReader<number | W> {
  return withSchema({ anyOf: [positiveInteger.schema, { enum: words }] }, (value, place) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    if (!isPositiveInteger(value))
      throw place.expected(value, alternatives(['a positive integer', ...words.map(quote)]));
    return value;
  });
}

export function oneOf<const W extends string>(words: readonly W[], hint = ''): JsonReader<W> {
  const schema = words.length === 1 ? { const: words[0] } : { enum: words };
  return withSchema(schema, (value, place) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw place.expected(value, `${alternatives(words.map(quote))}${hint}`);
    return word;
  });
}

/** A list of positive integers with one of `lengths`; `expectation` says so in words. */
export function positiveIntegers(
  lengths: readonly number[],
  expectation: string,
): JsonReader<readonly number[]> {
  const items = positiveInteger.schema;
  const schemas = lengths.map((length) => ({ type: 'array', items, minItems: length, maxItems: length }));
  return withSchema(schemas.length === 1 ? schemas[0]! : { anyOf: schemas }, (value, place) => {
    if (!Array.isArray(value) || !lengths.includes(value.length)) throw place.expected(value, expectation);
    return Array.from(value, (item: unknown, index) => positiveInteger(item, place.index(index)));
  });
}

/** A list of 1 to `most` items. */
export function listOf<T>(item: JsonReader<T>, items: string, most: number): JsonReader<readonly T[]> {
  const schema = { type: 'array', items: item.schema, minItems: 1, maxItems: most };
  return withSchema(schema, (value, place) => {
    if (!Array.isArray(value) || value.length === 0)
      throw place.expected(value, `a list of one or more ${items}`);
    if (value.length > most) throw place.expected(value, `a list of at most ${most} ${items}`);
    return Array.from(value, (element: unknown, index) => item(element, place.index(index)));
  });
}

/** An object with all of `required`, perhaps some of `optional`, and no other key. */
export function objectOf<R extends Fields, O extends Fields>(
  required: R,
  optional: O,
  what = 'an object',
): JsonReader<ReadObject<R, O>> {
  const fields = new Map([...Object.entries(required), ...Object.entries(optional)]);
  const allowed = [...fields.keys()];
  const schema = {
    type: 'object',
    properties: Object.fromEntries([...fields].map(([key, reader]) => [key, reader.schema])),
    required: Object.keys(required),
    additionalProperties: false,
  };
  return withSchema(schema, (value, place) => {
    const entries = entriesOf(value, place, what);
    const read: [string, unknown][] = [];
    for (const [key, item] of entries) {
      const reader = fields.get(key);
      if (reader === undefined) throw unknownKey(key, allowed, place);
      read.push([key, reader(item, place.key(key))]);
    }
    const missing = Object.keys(required).find((key) => !read.some(([present]) => present === key));
    if (missing !== undefined) throw place.key(missing).error('is missing');
    return Object.fromEntries(read) as ReadObject<R, O>;
  });
}

/**
 * A whole document, which may name its schema for editors under `$schema`: the name is checked to be a text,
 * and is not part of what is read.
 */
export function documentOf<T>(reader: JsonReader<T>): JsonReader<T> {
  const { properties, ...rest } = reader.schema;
  const name = { type: 'string', description: 'The JSON schema of this file, for editors' };
  const schema = { ...rest, properties: { $schema: name, ...(properties as JsonSchema) } };
  return withSchema(schema, (value, place) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, '$schema')) {
      return reader(value, place);
    }
    const { $schema, ...document } = value as { readonly $schema: unknown };
    if ($schema !== undefined && typeof $schema !== 'string')
      throw place.key('$schema').expected($schema, 'a text');
    return reader(document, place);
  });
}

/** The own keys and values of a JSON object; a key whose value is undefined counts as absent. */
export function entriesOf(value: unknown, place: Place, what = 'an object'): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw place.expected(value, what);
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function unknownKey(key: string, allowed: readonly string[], place: Place): UsageError {
  const nearest = nearestName(key, allowed);
  return place.error(
    `has an unknown key ${quote(key)}` +
      `${nearest === undefined ? '' : ` (did you mean "${nearest}"?)`}; keys are ${allowed.join(', ')}`,
  );
}

function alternatives(phrases: readonly string[]): string {
  return phrases.length < 2 ? phrases.join() : `${phrases.slice(0, -1).join(', ')} or ${phrases.at(-1)}`;
}

/** Short whatever the value: nothing nested is printed, so depth and size cannot hurt. */
function describeValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : describeList(value);
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

function describeList(list: readonly unknown[]): string {
  const short = list.length <= 4 && list.every((item) => typeof item === 'number');
  return short ? `[${list.join(', ')}]` : `a list of ${list.length}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`);
}
