// Tables of the pages on TensorFlow.js that a run writes, between two comments of the page.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Page {
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

/**
 * A page of docs/, and what it should be.
 * @param tables by the name in the comments `<!-- name: … -->` and `<!-- name: end -->`.
 * @throws Error where the page has no place for one of them.
 */
export function pageWith(name: string, tables: Readonly<Record<string, string>>): Page {
  const path = fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
  const found = readFileSync(path, 'utf8');
  let expected = found;
  for (const [table, lines] of Object.entries(tables)) {
    const begin = expected.indexOf(`<!-- ${table}: node `);
    const head = expected.indexOf('-->', begin);
    const end = expected.indexOf(`<!-- ${table}: end -->`);
    if (begin < 0 || end < head) throw new Error(`docs/${name} has no two comments for ${table}.`);
    expected = `${expected.slice(0, head + 3)}\n\n${lines}\n\n${expected.slice(end)}`;
  }
  return { path, found, expected };
}
