// JSON as text: what JSON.parse does not tell of it.
import { UsageError } from '../errors.js';
import { printableLine } from '../printable.js';

/** Lists and objects inside of each other. Looking for keys remembers those of each one: some tens of MB. */
const MOST_LEVELS = 2 ** 17;

/** A key of an object in a JSON text. */
export interface JsonKey {
  readonly key: string;
  /** Where its opening quote stands in the text. */
  readonly at: number;
  /** Where the same object had the same key before, if it had. */
  readonly before: number | undefined;
}

/**
 * JSON.parse, but for keys that stand twice in one object: it would keep the last of them and say nothing.
 *
 * @param source what the messages call the document, e.g. the file's path.
 * @throws UsageError where `text` is no JSON, is nested deeper than MOST_LEVELS, or has a key twice.
 */
export function parseJson(text: string, source: string): unknown {
  const deep = deeperThan(MOST_LEVELS, text);
  if (deep !== undefined) {
    throw new UsageError(
      `${source}: at ${place(text, deep)}, a list or an object stands inside of ${MOST_LEVELS} others, more than any ` +
        'document of lowerbound needs. Check that this is the right file.',
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${source} is not JSON: ${printableLine((error as Error).message)}.`);
  }
  for (const { key, at, before } of jsonKeys(text)) {
    if (before === undefined) continue;
    const shown = JSON.stringify(key.length <= 40 ? key : `${key.slice(0, 40)}…`);
    throw new UsageError(
      `${source}: the key ${shown} stands twice in one object, at ${place(text, before)} and at ${place(text, at)}, ` +
        'and which one counts would be a guess. Remove one of them.',
    );
  }
  return json;
}

/**
 * Where a list or an object opens inside of `most` others; undefined where none does.
 *
 * @param text need not be JSON: whoever asks first may parse without a thought of depth.
 */
export function deeperThan(most: number, text: string): number | undefined {
  let level = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = endOfString(text, i);
    else if (character === '{' || character === '[') {
      if (level === most) return i;
      level++;
    } else if ((character === '}' || character === ']') && level > 0) level--;
  }
  return undefined;
}

/**
 * Every key in the order of the text, without recursion. It keeps the keys of the objects that are open: ask
 * for `deeperThan` first where the text comes from a stranger.
 *
 * @param text valid JSON.
 */
export function* jsonKeys(text: string): Generator<JsonKey> {
  // Undefined for a list, which has no keys: no string in it is followed by a colon.
  const open: (Map<string, number> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{') open.push(new Map());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const at = i;
      i = endOfString(text, at);
      if (!isKey(text, i + 1)) continue;
      const key = JSON.parse(text.slice(at, i + 1)) as string;
      const keys = open.at(-1)!;
      yield { key, at, before: keys.get(key) };
      keys.set(key, at);
    }
  }
}

/** Where the string that opens at `start` has its closing quote; behind the text where it has none. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

function isKey(text: string, after: number): boolean {
  let i = after;
  while (/\s/.test(text[i] ?? '')) i++;
  return text[i] === ':';
}

/** For people, from 1: line 3, column 5. */
function place(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n');
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}
