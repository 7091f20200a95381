// Compiles every target of asconfig.json. Each has a thread of its own: a compilation takes seconds on one core.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';
import { hoistConstants } from './hoist-constants.mjs';

const CONFIG = 'asconfig.json';

/** Writes the generated kernels to build/assembly, then compiles all targets. */
export async function buildKernels() {
  const written = spawnSync(
    process.execPath,
    ['dist/kernels/tiles/write.js', 'build/assembly', '../../src/kernels/assembly'],
    { stdio: 'inherit' },
  );
  if (written.status !== 0) process.exit(1);
  const { targets } = JSON.parse(readFileSync(CONFIG, 'utf8'));
  await Promise.all(Object.entries(targets).map(compileInThread));
}

function compileInThread([name, { textFile }]) {
  return new Promise((resolve, reject) => {
    new Worker(new URL(import.meta.url), { workerData: { name, textFile } })
      .once('error', reject)
      .once('exit', (code) => (code === 0 ? resolve() : process.exit(1)));
  });
}

async function compileTarget({ name, textFile }) {
  const { error, stderr } = await asc.main(['build/assembly/index.ts', '--config', CONFIG, '--target', name]);
  if (error) {
    console.error(`Target '${name}' of ${CONFIG}: ${error.message}\n${stderr.toString()}`);
    process.exit(1);
  }
  const text = hoistConstants(readFileSync(textFile, 'utf8'));
  writeFileSync(textFile, text);
  mkdirSync('dist/kernels', { recursive: true });
  writeFileSync(`dist/kernels/${name}.wasm`, assemble(text));
  writeFileSync(`dist/kernels/${name}-unshared.wasm`, assemble(unshared(text)));
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
