// JSON as text: what JSON.parse does not tell of it.
import { UsageError } from '../errors.js';

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
 * @throws UsageError where `text` is no JSON, or has a key twice.
 */
export function parseJson(text: string, source: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${source} is not JSON: ${(error as Error).message}.`);
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
 * Every key in the order of the text, without recursion: depth cannot hurt.
 *
 * @param text valid JSON.
 */
export function* jsonKeys(text: string): Generator<JsonKey> {
  const open: Map<string, number>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    // A list gets a map too, which stays empty: no string in a list is followed by a colon.
    if (character === '{' || character === '[') open.push(new Map());
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

/** The place of the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
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
