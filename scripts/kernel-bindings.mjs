// Writes src/kernels/bindings.ts: the types of the kernels and how JavaScript calls them, from their
// AssemblyScript declarations. With --check it writes nothing and fails where the file is not what the
// declarations say.
//
// The library is compiled before the kernels, as it writes a part of their source. So the file is checked in.

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const ROOT = new URL('../', import.meta.url);
const ASSEMBLY = new URL('src/kernels/assembly/', ROOT);
const TILES = new URL('build/assembly/tiles.ts', ROOT);
const TARGET = new URL('src/kernels/bindings.ts', ROOT);

/** A kernel with more parameters than this takes a record of named arguments. */
const MOST_POSITIONS = 6;

/** By the types of AssemblyScript: `usize` is an address, whatever it points to. */
const TYPES = { usize: 'Address', i32: 'Quantity', u32: 'Quantity', f32: 'Quantity', f64: 'Quantity' };
const RESULTS = { void: 'void', i32: 'number', f32: 'number' };

const HEADER = `// Generated from the declarations in src/kernels/assembly and src/kernels/tiles/source.ts by \`npm run generate:bindings\`.

import type { Address, Quantity } from './address.js';
`;

/**
 * @typedef {{ name: string, type: string }} Parameter
 * @typedef {{ name: string, parameters: Parameter[], result: string, comment: string }} Declaration
 */

/**
 * The exported functions of an AssemblyScript source.
 * @param {string} source
 * @param {readonly string[]} [wanted] names; all where it is left out.
 * @returns {Declaration[]}
 */
export function declarationsIn(source, wanted) {
  const pattern = /(\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)?export function (\w+)\(([^)]*)\): (\w+) \{/g;
  const found = [...source.matchAll(pattern)].filter(([, , name]) => wanted?.includes(name) ?? true);
  return found.map(([, comment = '', name, list, result]) => {
    const parameters = list
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => {
        const [parameter, type] = part.split(': ');
        if (!(type in TYPES))
          throw new Error(`The kernel ${name} has a parameter '${part}' of no type that is known here.`);
        return { name: parameter, type: TYPES[type] };
      });
    if (!(result in RESULTS))
      throw new Error(`The kernel ${name} returns ${result}, which is no type that is known here.`);
    return { name, parameters, result: RESULTS[result], comment };
  });
}

/** All kernels of the module, in the order of their names. */
function allDeclarations() {
  const index = readFileSync(new URL('index.ts', ASSEMBLY), 'utf8');
  const exports = [...index.matchAll(/export \{([^}]*)\} from '\.\/([\w/]+)'/g)].flatMap(
    ([, names, file]) => {
      const wanted = names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
      const declared = declarationsIn(readFileSync(new URL(`${file}.ts`, ASSEMBLY), 'utf8'), wanted);
      const missing = wanted.find((name) => !declared.some((each) => each.name === name));
      if (missing !== undefined)
        throw new Error(`src/kernels/assembly/${file}.ts does not declare '${missing}'.`);
      return declared;
    },
  );
  const all = [...exports, ...declarationsIn(readFileSync(TILES, 'utf8'))];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The name without its tile or width: kernels of one family differ in speed alone. */
function family(name) {
  return name.replace(/\d+(x\d+)?$/, '');
}

function recordName(name) {
  const stem = family(name);
  return `${stem[0].toUpperCase()}${stem.slice(1)}Arguments`;
}

function isNamed({ parameters }) {
  return parameters.length > MOST_POSITIONS;
}

function positional({ parameters }) {
  return parameters.map(({ name, type }) => `${name}: ${type}`).join(', ');
}

/** Argument records, one for each family. */
function records(named) {
  const byName = new Map();
  for (const { name, parameters } of named) {
    const fields = parameters.map((each) => `  readonly ${each.name}: ${each.type};`).join('\n');
    const known = byName.get(recordName(name));
    if (known !== undefined && known !== fields)
      throw new Error(`The kernels ${family(name)}… differ in their parameters.`);
    byName.set(recordName(name), fields);
  }
  return [...byName].map(([name, fields]) => `export interface ${name} {\n${fields}\n}\n`).join('\n');
}

function member(declaration) {
  const { name, result, comment } = declaration;
  const parameters = isNamed(declaration) ? `args: ${recordName(name)}` : positional(declaration);
  return `${indent(comment)}  ${name}(${parameters}): ${result};`;
}

function indent(comment) {
  return comment.replace(/^(?=.)/gm, '  ');
}

function exported(declaration) {
  return `  ${declaration.name}(${positional(declaration)}): ${declaration.result};`;
}

/** The text of bindings.ts. */
export function bindingsText(declarations = allDeclarations()) {
  const named = declarations.filter(isNamed);
  const names = declarations.map(({ name }) => `    ${name},`).join('\n');
  const values = named.map(({ name, parameters }) => {
    const list = parameters.map((each) => `args.${each.name}`).join(', ');
    return `    ${name}: (args) => ${name}(${list}),`;
  });
  const plain = declarations.filter((each) => !isNamed(each)).map(({ name }) => `    ${name},`);
  return `${HEADER}
${records(named)}
/**
 * The functions of the WebAssembly module. Addresses and strides are in bytes of the imported memory, counts
 * in elements; NONE as an address means "none" where the kernel says so. Those with more than
 * ${MOST_POSITIONS} parameters take a record of named arguments.
 */
export interface Kernels {
${declarations.map(member).join('\n')}
}

/** The functions as the module exports them. */
interface KernelExports {
${declarations.map(exported).join('\n')}
}

/** The kernels of an instance of the module, which must be of the same build. */
export function nameArguments(instance: { readonly exports: object }): Kernels {
  const {
${names}
  } = instance.exports as KernelExports;
  return {
${[...plain, ...values].join('\n')}
  };
}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = bindingsText();
  if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
  else if (readFileSync(TARGET, 'utf8') !== text) {
    console.error(
      'src/kernels/bindings.ts is not what the kernels declare. Run "npm run generate:bindings", then build again.',
    );
    process.exit(1);
  }
}
