// Lines that fit, broken between words alone.

/** Stands for a space at which no line is broken. */
export const HARD_SPACE = '\u00a0';

/** A label that makes a column of its own is at most so wide. */
const WIDEST_LABEL = 26;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one.
const COLORS = /\u001b\[[\d;]*m/g;

/** Columns that a text takes: colours take none. */
export function visibleLength(text: string): number {
  return text.replace(COLORS, '').length;
}

/**
 * Breaks lines longer than `width` between words. What follows is indented as the line is, or, where the line
 * begins with a label and two spaces, by the label's column. A word that is longer than a line stays whole.
 */
export function wrapText(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, width))
    .join('\n')
    .replaceAll(HARD_SPACE, ' ');
}

function wrapLine(line: string, width: number): string[] {
  if (visibleLength(line) <= width) return [line];
  const indent = hangingIndent(line, width);
  const [, lead, rest] = /^( *)(.*)$/s.exec(line)!;
  const lines: string[] = [];
  let current = lead!;
  let gap = '';
  // Words, each with the spaces before it.
  for (const [, spaces, word] of rest!.matchAll(/( *)([^ ]+)/g)) {
    gap = current.trim() === '' ? '' : spaces!;
    if (gap !== '' && visibleLength(current + gap + word!) > width) {
      lines.push(current);
      const room = indent + visibleLength(word!) <= width;
      current = ' '.repeat(room ? indent : Math.min(indent, lead!.length + 2)) + word!;
    } else {
      current += gap + word!;
    }
  }
  return [...lines, current];
}

function hangingIndent(line: string, width: number): number {
  const bare = line.replace(COLORS, '');
  const label = /^ *\S+(?: \S+)* {2,}(?=\S)/.exec(bare)?.[0].length ?? 0;
  if (label > 0 && label <= Math.min(WIDEST_LABEL, width / 2)) return label;
  return /^ */.exec(bare)![0].length;
}
