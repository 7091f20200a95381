// The list of docs/tfjs-wasm.md that says what of tf.layers does not work, out of the table that
// layerStacks.test.ts holds to a run.

import { type Page, pageWith } from './generatedTable.js';
import { STACK_EXCEPTIONS } from './stackExceptions.js';

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
export function layerPage(): Page {
  return pageWith('tfjs-wasm.md', { layers: layerTable() });
}
