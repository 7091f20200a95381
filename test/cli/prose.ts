// What is hard to read in a page of Markdown: long sentences, turns of phrase that no native writer uses,
// wide lines.

/** Words in a sentence, at most. A formula or a piece of code between backticks counts as one word. */
export const MOST_WORDS = 40;
/** Columns in a line of prose, at most. */
export const MOST_COLUMNS = 120;

/** At the beginning of a sentence where the expression says so. */
const AVOIDED: readonly RegExp[] = [
  /^Of\b/,
  /\bto be had\b/i,
  /\blest\b/i,
  /\bin vain\b/i,
  /^Today there (?:is|are)\b/,
  /\b(?:is|are) what (?:it|they) (?:is|are|was|were)\b/i,
];

/** Lines of a page that are prose; an empty line stands for each block that is not (code, table, picture). */
function proseLines(page: string): string[] {
  let fence = false;
  let before = '';
  return page.split('\n').map((line) => {
    const isFence = /^\s*```/.test(line);
    if (isFence) fence = !fence;
    // Four spaces are code behind an empty line or other code; elsewhere they continue a list's item.
    const isIndented = /^ {4}/.test(line) && (before === '' || before === 'code');
    const isOther = fence || isFence || isIndented || /^\s*(?:\||!\[|<)/.test(line);
    if (line !== '' || before !== 'code') before = isIndented ? 'code' : line;
    return isOther ? '' : line;
  });
}

/**
 * The sentences of a page, as words between single spaces. Headings and items of lists are sentences of their
 * own.
 */
export function sentences(page: string): string[] {
  const found: string[] = [];
  let paragraph = '';
  const finish = () => {
    const text = paragraph
      .replace(/`[^`]*`/g, 'code')
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/\*\*|__/g, '')
      .replace(/\s+/g, ' ')
      .trim();
    // A point ends a sentence where a capital, a digit or an opening sign follows: `e.g. this` goes on.
    if (text !== '') found.push(...text.split(/(?<=[.!?][")]?) (?=["(]?(?:[A-Z0-9Α-ω]|code\b))/u));
    paragraph = '';
  };
  for (const line of proseLines(page)) {
    const item = /^\s*(?:[-*] |\d+\. |#+ )(.*)$/.exec(line);
    if (line.trim() === '' || item !== null) finish();
    paragraph += ` ${item?.[1] ?? line.trim()}`;
    if (/^#/.test(line)) finish();
  }
  finish();
  return found;
}

const wordCount = (sentence: string) =>
  sentence.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

/** A line for each fault of the page. */
export function proseFaults(page: string): string[] {
  const faults: string[] = [];
  for (const sentence of sentences(page)) {
    const words = wordCount(sentence);
    if (words > MOST_WORDS) faults.push(`${words} words: ${sentence}`);
    const avoided = AVOIDED.find((expression) => expression.test(sentence));
    if (avoided !== undefined) faults.push(`${avoided}: ${sentence}`);
  }
  for (const line of proseLines(page)) {
    const columns = [...line].length;
    // A link cannot be broken.
    if (columns > MOST_COLUMNS && /\s/.test(line.trim())) faults.push(`${columns} columns: ${line}`);
  }
  return faults;
}
