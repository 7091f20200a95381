// Writes the JSON schemas (schemas/*.schema.json) and docs/options.md from the tables of the library in dist/.
// With --check it writes nothing, and fails where a file is not what the tables say.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RUN_OPTIONS } from '../dist/coordinator/runOptions.js';
import { flagName, HELP_GROUPS } from '../dist/model/field.js';
import { layerDefinitions } from '../dist/model/layers/registry.js';
import { readModel } from '../dist/model/parse.js';
import { RECOMMENDED } from '../dist/model/trainingDefaults.js';
import { defaultWords, HYPERPARAMETER_ROWS } from '../dist/runs/hyperparameters.js';
import { readConfig } from '../dist/runs/runConfig.js';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

function schemaText(title, description, { schema }) {
  const document = { $schema: DRAFT, title, description, ...schema, $defs: layerDefinitions };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const HEAD = `# Options

This page lists everything that a run can be told. \`npm run generate:reference\` writes it and the JSON schemas from two
tables: \`src/runs/hyperparameters.ts\` and \`src/coordinator/runOptions.ts\`. The help of the flags comes from these tables,
too. The flags \`--json\`, \`--quiet\`, \`--preview\` and \`--debug\` are about what the command prints (\`lowerbound train
--help\`).

- **flag**: of \`lowerbound train\`. A dash: only the library has it.
- **field**: the option of \`train()\`. Where \`config.json\` is named beside it, config.json has a field of that name.
- **bits**: whether it decides the bits of the parameters.
- **on resume**: whether \`--resume\` may be given another value.

A model's file may recommend the options with an asterisk, under \`training\` ([models.md](models.md)). What counts, from
the strongest: a flag or an option, the run that is resumed or the file of \`--config\`, the likelihood's choice of
binarisation, the model, the default.
`;

const ON_RESUME = {
  kept: 'no',
  grows: 'as many or more; no change with a schedule that ends with the epochs',
  changes: 'yes, bits then differ',
  refused: 'no',
};

const cell = (text) => text.replaceAll('|', '\\|').replaceAll(/<(\w+)>/g, '`<$1>`');

function optionRow([name, row, inConfig]) {
  const { kind, describe, alias, onResume, onlyInConfig } = row;
  const short = alias === undefined ? '' : `, \`${alias.length === 1 ? '-' : '--'}${alias}\``;
  const flag = kind.flag === undefined ? '–' : `\`--${flagName(name)}\`${short}`;
  const star = Object.hasOwn(RECOMMENDED, name) ? ' *' : '';
  const places = onlyInConfig ? '`config.json` alone' : inConfig ? '`config.json`' : undefined;
  const field = `\`${name}\`${star}${places === undefined ? '' : `, ${places}`}`;
  const bits = inConfig ? 'yes' : 'no';
  const resumed = onResume === undefined ? 'yes' : ON_RESUME[onResume];
  const cells = [flag, field, kind.takes, defaultWords(name, row.default), describe, bits, resumed];
  return `| ${cells.map(cell).join(' | ')} |`;
}

function optionsPage() {
  const rows = [
    ...HYPERPARAMETER_ROWS.map(([name, row]) => [name, row, true]),
    ...Object.entries(RUN_OPTIONS).map(([name, row]) => [name, row, false]),
  ];
  const sections = HELP_GROUPS.map((group) => {
    const inGroup = rows.filter(([, row]) => row.group === group);
    return [
      `## ${group.replace(':', '')}`,
      '',
      '| flag | field | takes | default | meaning | bits | on resume |',
      '|---|---|---|---|---|---|---|',
      ...inGroup.map(optionRow),
    ].join('\n');
  });
  return `${HEAD}\n${sections.join('\n\n')}\n`;
}

const files = {
  'schemas/model.schema.json': schemaText(
    'A model of lowerbound',
    'A variational autoencoder as two lists of layers: what train --model takes (docs/models.md)',
    readModel,
  ),
  'schemas/config.schema.json': schemaText(
    'config.json of a run of lowerbound',
    'All that decides the bits of a run (docs/runs.md, docs/options.md)',
    readConfig,
  ),
  'docs/options.md': optionsPage(),
};

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const isFresh = (path, text) => {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    return false;
  }
};
const stale = Object.entries(files).filter(([path, text]) => !isFresh(path, text));
if (process.argv.includes('--check')) {
  for (const [path] of stale) {
    console.error(`${path} is not what the tables say. Run "npm run generate:reference".`);
  }
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync('schemas', { recursive: true });
  for (const [path, text] of stale) writeFileSync(path, text);
}
