// Builds what is named, in this order: library (dist/), bindings (src/kernels/bindings.ts), kernels
// (dist/kernels/*.wasm), tests (build/test, build/bench, and the probes, which these alone call). Usage: node
// scripts/build.mjs [STEP…]; without a name, library and kernels.
//
// Messages go to stderr: stdout belongs to `npm pack --json`. A step is skipped if its sources and its
// outputs have the contents that they had after the step last ran. Contents, not times: a fresh clone, a
// change of branch and a touched file all change times.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildKernels, buildProbes, writeBindings } from './build-kernels.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const FINGERPRINTS = 'build/fingerprints.json';

const isModule = (file) => file.endsWith('.wasm');

const STEPS = {
  library: {
    inputs: () => [
      ...filesOf('src').filter((file) => !file.startsWith('src/kernels/assembly/')),
      'tsconfig.base.json',
      'tsconfig.json',
      'package-lock.json',
    ],
    outputs: () => filesOf('dist').filter((file) => !isModule(file)),
    run() {
      compile('tsconfig.json', this.outputs());
      // npm does this where it links the command, but not when the file is built anew behind its link.
      chmodSync('dist/cli/main.js', 0o755);
    },
  },
  bindings: {
    inputs: () => [
      ...filesOf('src/kernels/assembly'),
      ...filesOf('dist/kernels/tiles'),
      'scripts/kernel-bindings.mjs',
    ],
    outputs: () => [...filesOf('build/assembly'), 'src/kernels/bindings.ts'],
    run: writeBindings,
  },
  kernels: {
    inputs: () => [
      ...filesOf('src/kernels/assembly'),
      ...filesOf('dist/kernels/tiles'),
      ...compilerFiles(),
      'src/kernels/bindings.ts',
      'scripts/kernel-bindings.mjs',
    ],
    outputs: () => [...filesOf('build/assembly'), ...filesOf('dist/kernels').filter(isModule)],
    run: buildKernels,
  },
  tests: {
    inputs: () => [
      ...filesOf('test'),
      ...filesOf('bench'),
      ...filesOf('dist').filter((file) => file.endsWith('.d.ts')),
      'src/webassembly.d.ts',
      'tsconfig.base.json',
      'tsconfig.test.json',
      'package-lock.json',
    ],
    outputs: () => [...filesOf('build/test'), ...filesOf('build/bench')],
    run() {
      compile('tsconfig.test.json', this.outputs());
    },
  },
  probes: {
    inputs: () => [
      ...filesOf('bench/assembly'),
      ...filesOf('src/kernels/assembly'),
      ...compilerFiles(),
      'asconfig.probes.json',
    ],
    outputs: () => filesOf('build/kernels').filter(isModule),
    run: buildProbes,
  },
};

/** What every compilation of AssemblyScript depends on. */
function compilerFiles() {
  return [
    'asconfig.json',
    'scripts/build-kernels.mjs',
    'scripts/hoist-constants.mjs',
    'node_modules/assemblyscript/package.json',
    'node_modules/binaryen/package.json',
  ];
}

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(STEPS, name));
if (unknown !== undefined) {
  console.error(
    `There is no step '${unknown}' in the build: the steps are ${Object.keys(STEPS).join(', ')}.`,
  );
  process.exit(2);
}
const wanted = new Set(asked.length === 0 ? ['library', 'kernels'] : asked);
// Tests call them.
if (wanted.has('tests')) wanted.add('probes');
for (const [name, step] of Object.entries(STEPS)) if (wanted.has(name)) await build(name, step);

async function build(name, step) {
  if (readFingerprints()[name] === fingerprint(step)) {
    console.warn(`${name}: up to date`);
    return;
  }
  const start = performance.now();
  await step.run();
  mkdirSync(dirname(FINGERPRINTS), { recursive: true });
  const fingerprints = { ...readFingerprints(), [name]: fingerprint(step) };
  writeFileSync(FINGERPRINTS, `${JSON.stringify(fingerprints, undefined, 2)}\n`);
  console.warn(`${name}: built in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

function readFingerprints() {
  try {
    return JSON.parse(readFileSync(FINGERPRINTS, 'utf8'));
  } catch {
    return {};
  }
}

/** SHA-256 over names and contents of a step's inputs and outputs. */
function fingerprint({ inputs, outputs }) {
  const hash = createHash('sha256');
  for (const file of [...inputs(), ...outputs()]) {
    const content = existsSync(file) ? readFileSync(file) : Buffer.of();
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** Runs the TypeScript compiler, and removes those outputs of earlier runs whose source is gone. */
function compile(project, earlierOutputs) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', project, '--listEmittedFiles'],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  const emitted = new Set();
  const messages = [];
  for (const line of stdout.split(/\r?\n/)) {
    const [, file] = /^TSFILE:\s+(.*)$/.exec(line) ?? [];
    if (file === undefined) messages.push(line);
    else emitted.add(portable(relative('.', file)));
  }
  if (status !== 0) {
    console.error(`${messages.join('\n')}${stderr}`);
    process.exit(1);
  }
  for (const file of earlierOutputs) if (!emitted.has(file)) rmSync(file);
}

function filesOf(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => portable(join(entry.parentPath, entry.name)))
    .sort();
}

function portable(path) {
  return path.replaceAll('\\', '/');
}
