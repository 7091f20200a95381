// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal would obey.
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text that may come out of a file, for a terminal: control characters, which could change its colours, its
 * title or what stands above, and marks that turn the direction of writing become escapes like `\u001b`. Line
 * feeds stay.
 */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same on one line, for a text inside of a sentence. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n');
}
