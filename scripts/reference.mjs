// Writes what is derived from the tables of the library in dist/ and has to be a file: the JSON schemas,
// docs/options.md, and interfaces with a comment for each field, because editors show no comments of mapped
// types. With --check it writes nothing, and fails where a file is not what the tables say.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const checks = process.argv.includes('--check');

// The compiler may complain of files that this script is about to write; it emits the tables nevertheless.
if (!checks) spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);

const { RUN_OPTIONS } = await import('../dist/coordinator/runOptions.js');
const { flagName, HELP_GROUPS } = await import('../dist/model/field.js');
const { layerDefinitions } = await import('../dist/model/layers/registry.js');
const { readModel } = await import('../dist/model/parse.js');
const { RECOMMENDED } = await import('../dist/model/trainingDefaults.js');
const { defaultWords, HYPERPARAMETER_ROWS, isOptional } = await import('../dist/runs/hyperparameters.js');
const { readConfig } = await import('../dist/runs/runConfig.js');

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

function schemaText(title, description, { schema }) {
  const document = { $schema: DRAFT, title, description, ...schema, $defs: layerDefinitions };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const HEAD = `# Options

This page lists everything that a run can be told. \`npm run generate:reference\` writes it and the JSON schemas from
two tables: \`src/runs/hyperparameters.ts\` and \`src/coordinator/runOptions.ts\`. The help of the flags comes from
these tables, too. The flags \`--json\`, \`--quiet\`, \`--preview\` and \`--debug\` say what the command prints, and
\`lowerbound train --help\` explains them.

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

/** A comment in 110 columns. */
function comment(text) {
  const lines = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length > 103) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.length === 1 && lines[0].length < 100
    ? [`  /** ${lines[0]} */`]
    : ['  /**', ...lines.map((line) => `   * ${line}`), '   */'];
}

const GENERATED =
  '// Written by scripts/reference.mjs from the tables: "npm run generate:reference" writes it anew.\n';

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function optionTypes() {
  const fields = [...HYPERPARAMETER_ROWS, ...Object.entries(RUN_OPTIONS)]
    .filter(([, { onlyInConfig }]) => !onlyInConfig)
    .flatMap(([name, row]) => [
      ...comment(`${sentence(row.describe)} Default: ${sentence(defaultWords(name, row.default))}`),
      `  readonly ${name}?: Options['${name}'];`,
    ]);
  return `${GENERATED}import type { OptionsOf } from '../model/field.js';
import type { HYPERPARAMETERS } from '../runs/hyperparameters.js';
import type { RUN_OPTIONS } from './runOptions.js';

type Options = Required<OptionsOf<typeof HYPERPARAMETERS> & OptionsOf<typeof RUN_OPTIONS>>;

/**
 * What \`train\` takes: everything has a default, by the model where the model recommends one.
 * docs/options.md has the same in a table.
 */
export interface TrainOptions {
${fields.join('\n')}
}
`;
}

function configTypes() {
  const fields = HYPERPARAMETER_ROWS.flatMap(([name, row]) => [
    ...comment(sentence(row.describe)),
    `  readonly ${name}${isOptional(name, row) ? '?' : ''}: Fields['${name}'];`,
  ]);
  return `${GENERATED}import type { ConfigOf } from '../model/field.js';
import type { HYPERPARAMETERS } from './hyperparameters.js';

type Fields = ConfigOf<typeof HYPERPARAMETERS>;

/** The hyper-parameters in config.json. */
export interface ConfigFields {
${fields.join('\n')}
}
`;
}

const files = {
  'src/runs/configFields.ts': configTypes(),
  'src/coordinator/trainOptionFields.ts': optionTypes(),
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

const isFresh = (path, text) => {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    return false;
  }
};
const stale = Object.entries(files).filter(([path, text]) => !isFresh(path, text));
if (checks) {
  for (const [path] of stale) {
    console.error(`${path} is not what the tables say. Run "npm run generate:reference".`);
  }
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync('schemas', { recursive: true });
  for (const [path, text] of stale) writeFileSync(path, text);
}
