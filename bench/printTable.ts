import type { Column, Row, Table } from './section.js';

/** Columns as wide as their widest cell; numbers to the right. */
export function printTable({ title, columns, rows }: Table): string {
  const cells = rows.map((row) => columns.map((column) => cellText(row, column)));
  const headings = columns.map(({ heading }) => heading);
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...cells.map((row) => row[i]!.length)),
  );
  const toRight = columns.map(({ key }) => rows.every((row) => typeof row[key] !== 'string'));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => (toRight[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [title, line(headings), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line), ''].join(
    '\n',
  );
}

function cellText(row: Row, { key, format }: Column): string {
  const value = row[key];
  if (value === undefined) return '';
  return typeof value === 'number' && format !== undefined ? format(value) : String(value);
}
