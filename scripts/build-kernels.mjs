// Compiles AssemblyScript: the kernels of the package, and the probes of benchmarks and tests. Each target
// has a thread of its own: a compilation takes seconds on one core.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';
import { hoistConstants } from './hoist-constants.mjs';

/**
 * Writes the generated kernels to build/assembly, checks that bindings.ts fits all kernels, then compiles all
 * targets.
 */
export async function buildKernels() {
  writeTiles();
  run('scripts/kernel-bindings.mjs', '--check');
  await compileTargets('asconfig.json', 'build/assembly/index.ts', (name) => ({
    outFile: `dist/kernels/${name}.wasm`,
    unsharedFile: `dist/kernels/${name}-unshared.wasm`,
  }));
}

/** What benchmarks and tests alone call: in no file of the package. */
export async function buildProbes() {
  await compileTargets('asconfig.probes.json', 'bench/assembly/probes.ts', (name) => ({
    outFile: `build/kernels/${name}.wasm`,
  }));
}

/** Writes src/kernels/bindings.ts anew from the declarations of all kernels. */
export function writeBindings() {
  writeTiles();
  run('scripts/kernel-bindings.mjs');
}

function writeTiles() {
  run('dist/kernels/tiles/write.js', 'build/assembly', '../../src/kernels/assembly');
}

function run(...command) {
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

async function compileTargets(config, entry, filesOf) {
  const { targets } = JSON.parse(readFileSync(config, 'utf8'));
  const compilations = Object.entries(targets).map(([name, { textFile }]) =>
    compileInThread({ config, entry, name, textFile, ...filesOf(name) }),
  );
  await Promise.all(compilations);
}

function compileInThread(target) {
  return new Promise((resolve, reject) => {
    new Worker(new URL(import.meta.url), { workerData: target })
      .once('error', reject)
      .once('exit', (code) => (code === 0 ? resolve() : process.exit(1)));
  });
}

async function compileTarget({ config, entry, name, textFile, outFile, unsharedFile }) {
  const { error, stderr } = await asc.main([entry, '--config', config, '--target', name]);
  if (error) {
    console.error(`Target '${name}' of ${config}: ${error.message}\n${stderr.toString()}`);
    process.exit(1);
  }
  const text = hoistConstants(readFileSync(textFile, 'utf8'));
  writeFileSync(textFile, text);
  mkdirSync(dirname(outFile), { recursive: true });
  writeFileSync(outFile, assemble(text));
  if (unsharedFile !== undefined) writeFileSync(unsharedFile, assemble(unshared(text)));
}

/** The same functions for a memory that no other thread shares, as TensorFlow.js's is in Node. */
function unshared(text) {
  const changed = text.replace(/(\(import "env" "memory" \(memory .*) shared\)\)/, '$1))');
  if (changed === text) throw new Error('The text of the kernels imports no shared memory.');
  return changed;
}

function assemble(text) {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  if (!module.validate())
    throw new Error('The kernels are not a valid module once their constants are hoisted.');
  const binary = module.emitBinary();
  module.dispose();
  return binary;
}

if (!isMainThread) await compileTarget(workerData);
