// Ways to damage bytes and JSON.
import fc from 'fast-check';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One change of a file. */
export type ByteChange =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'append'; readonly bytes: Uint8Array }
  | { readonly kind: 'flip'; readonly bit: number }
  | { readonly kind: 'overwrite'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly from: number; readonly count: number };

const someBytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 12 }),
  fc
    .constantFrom('00000000', 'ffffffff', '7fffffff', '80000000', '00010000', '0000000000000080', '1f8b0800')
    .map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
  // A lone continuation, an overlong slash, a surrogate, a character cut off, a byte-order mark, colours.
  fc
    .constantFrom('80', 'c0af', 'eda080', 'e282', 'efbbbf', '1b5b33316d', 'c29b')
    .map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
);

export const byteChange: fc.Arbitrary<ByteChange> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('append' as const), bytes: someBytes }),
  fc.record({ kind: fc.constant('flip' as const), bit: fc.nat() }),
  fc.record({
    kind: fc.constant('overwrite' as const),
    // Headers are where it matters.
    at: fc.oneof(fc.nat({ max: 32 }), fc.nat()),
    bytes: someBytes,
  }),
  fc.record({ kind: fc.constant('repeat' as const), from: fc.nat(), count: fc.nat({ max: 64 }) }),
);

export function changedBytes(bytes: Uint8Array, change: ByteChange): Buffer {
  const { length } = bytes;
  switch (change.kind) {
    case 'cut':
      return Buffer.from(bytes.subarray(0, length === 0 ? 0 : change.at % length));
    case 'append':
      return Buffer.concat([bytes, change.bytes]);
    case 'flip': {
      const copy = Buffer.from(bytes);
      if (length > 0) copy[(change.bit >> 3) % length]! ^= 1 << (change.bit & 7);
      return copy;
    }
    case 'overwrite': {
      const at = length === 0 ? 0 : change.at % length;
      return Buffer.concat([
        bytes.subarray(0, at),
        change.bytes,
        bytes.subarray(Math.min(length, at + change.bytes.length)),
      ]);
    }
    case 'repeat': {
      const from = length === 0 ? 0 : change.from % length;
      const piece = bytes.subarray(from, from + change.count);
      return Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(from)]);
    }
  }
}

/** Every place of a document. */
export function places(json: Json, path: readonly string[] = []): (readonly string[])[] {
  const inside = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  return [path, ...inside.flatMap(([key, item]) => places(item, [...path, key]))];
}

/** The document with something else, or nothing, in one place. */
export function changed(
  json: Json,
  [key, ...rest]: readonly string[],
  item: Json | undefined,
): Json | undefined {
  if (key === undefined) return item;
  if (Array.isArray(json)) {
    const at = Number(key);
    const inner = changed(json[at]!, rest, item);
    return inner === undefined ? json.toSpliced(at, 1) : json.with(at, inner);
  }
  const { [key]: before, ...others } = json as { [key: string]: Json };
  const inner = changed(before!, rest, item);
  return inner === undefined ? others : { ...others, [key]: inner };
}

/** Texts that a terminal, a file system or a program might stumble over. */
export const nastyText = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\n',
      '\0',
      '\u001b[31mred\u001b[0m',
      '\u001b]0;title\u0007',
      '\u009b31m',
      'a\rb',
      '\u202eabc',
    ],
    ...['../../etc/passwd', '/etc/passwd', 'C:\\x', 'a/b', '.', '..', 'con', '~', '$(id)', '`id`', "'", '"'],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '__metadata__'],
    ...['\ud800', '\ufeff', 'é', '１２', '💥', 'NaN', 'Infinity', '-0', '0x10', '1e400', 'null', 'true'],
    ...['%s%n', '-', '--', '--help', '-1', '='],
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constant('x'.repeat(100_000)),
);

export const nastyNumber = fc.oneof(
  fc.constantFrom(
    ...[0, -0, 1, -1, 2, 3, 0.5, 1.5, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32],
    ...[2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e16, 1e21, 1e300, 1.7976931348623157e308, 5e-324, 1e-10, -1e300],
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

/** Lists and objects that are deep, long, or have keys of every object. */
const nastyStructure: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>([], {}, [[]], [null], [1, 2, 3], { type: 'relu' }, { layers: [] }),
  fc.nat({ max: 200 }).map((depth) => {
    let json: Json = [];
    for (let i = 0; i < depth; i++) json = i % 2 === 0 ? [json] : { layers: json };
    return json;
  }),
  fc.nat({ max: 2000 }).map((length) => Array<Json>(length).fill(1)),
  fc.constantFrom('__proto__', 'constructor', 'toString', '\u001b[2J').map((key) => {
    const object: { [key: string]: Json } = {};
    Object.defineProperty(object, key, { value: 1, enumerable: true, configurable: true, writable: true });
    return object;
  }),
);

/** Undefined removes what is there. */
export const anyJson: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<Json>(null, true, false),
  nastyNumber,
  nastyText,
  nastyStructure,
);

/**
 * One change of a JSON text: of its document, or of the text itself, which can be what no document is (a key
 * that stands twice, digits beyond a double's).
 */
export type TextChange =
  | { readonly kind: 'value'; readonly at: number; readonly item: Json | undefined }
  | { readonly kind: 'key'; readonly at: number; readonly key: string; readonly item: Json }
  | { readonly kind: 'twice'; readonly at: number }
  | { readonly kind: 'literal'; readonly at: number; readonly literal: string };

/** No document holds them: they replace a value in the text. */
const LITERALS = [
  ...[
    '1e999',
    '-1e999',
    '-0',
    '-0.0',
    '1.0',
    '2e0',
    '01',
    '+1',
    '.5',
    '1.',
    '0x10',
    'NaN',
    'Infinity',
    'nul',
  ],
  ...[
    '9007199254740993',
    '"\\ud800"',
    '"\\u0000"',
    '"\u001b[31m"',
    "'a'",
    '[1,]',
    '{"a":1,}',
    '/* */1',
    '"\\x"',
  ],
  ...[`${'['.repeat(50_000)}${']'.repeat(50_000)}`, '['.repeat(50_000), `${'{"a":'.repeat(20_000)}1`],
  `1${'0'.repeat(10_000)}`,
];

export const textChange: fc.Arbitrary<TextChange> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('value' as const), at: fc.nat(), item: anyJson }) },
  fc.record({
    kind: fc.constant('key' as const),
    at: fc.nat(),
    key: nastyText,
    item: anyJson.map((item) => item ?? null),
  }),
  fc.record({ kind: fc.constant('twice' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('literal' as const), at: fc.nat(), literal: fc.constantFrom(...LITERALS) }),
);

const MARK = '@@here@@';

/** The text of `json` with one change. */
export function changedText(json: Json, change: TextChange): string {
  const all = places(json);
  const at = all[change.at % all.length]!;
  switch (change.kind) {
    case 'value':
      return JSON.stringify(changed(json, at, change.item) ?? null);
    case 'literal': {
      const text = JSON.stringify(changed(json, at, MARK) ?? null);
      return text.replace(`"${MARK}"`, () => change.literal);
    }
    case 'key': {
      const text = JSON.stringify(json);
      const braces = [...text.matchAll(/\{/g)].map(({ index }) => index + 1);
      const position = braces[change.at % Math.max(1, braces.length)] ?? 0;
      const member = `${JSON.stringify(change.key)}:${JSON.stringify(change.item)}`;
      const comma = text[position] === '}' ? '' : ',';
      return `${text.slice(0, position)}${member}${comma}${text.slice(position)}`;
    }
    case 'twice': {
      const text = JSON.stringify(json);
      const members = [...text.matchAll(/"[A-Za-z]+":(?:\d+|"[^"]*")/g)];
      const member = members[change.at % Math.max(1, members.length)];
      if (member === undefined) return `${text}${text}`;
      return `${text.slice(0, member.index)}${member[0]},${text.slice(member.index)}`;
    }
  }
}
