// The list of docs/tfjs-wasm.md that says what of tf.layers does not work, out of the table that
// layerStacks.test.ts holds to a run.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { STACK_EXCEPTIONS } from './stackExceptions.js';

export const PAGE = fileURLToPath(new URL('../../../docs/tfjs-wasm.md', import.meta.url));

const BEGIN = '<!-- layers: node build/bench/tfjs/layerPage.js writes this table -->';
const END = '<!-- layers: end -->';

/** A row for each exception that users meet. */
function layerTable(): string {
  const rows = STACK_EXCEPTIONS.filter(({ side }) => side === 'both').map(
    ({ layer, when, reason, wayAround = '–' }) => `| \`${layer}\` | ${when} | ${reason} | ${wayAround} |`,
  );
  return ['| layer | with | what is wrong upstream | a way around |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

/** The page, and what it should be. @throws Error where it has no place for the table. */
export function layerPage(): { readonly found: string; readonly expected: string } {
  const found = readFileSync(PAGE, 'utf8');
  const [begin, end] = [found.indexOf(BEGIN), found.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no lines ${BEGIN} and ${END}.`);
  const head = found.slice(0, begin + BEGIN.length);
  return { found, expected: `${head}\n\n${layerTable()}\n\n${found.slice(end)}` };
}
