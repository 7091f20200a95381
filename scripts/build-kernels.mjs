// Compiles every target of asconfig.json, from the files that the step before has written to build/assembly.

import { readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';
import { hoistConstants } from './hoist-constants.mjs';

const config = new URL('../asconfig.json', import.meta.url);
for (const [target, { outFile, textFile }] of Object.entries(
  JSON.parse(readFileSync(config, 'utf8')).targets,
)) {
  const { error, stderr } = await asc.main([
    'build/assembly/index.ts',
    '--config',
    'asconfig.json',
    '--target',
    target,
  ]);
  if (error) {
    console.error(`Target '${target}' of asconfig.json: ${error.message}\n${stderr.toString()}`);
    process.exit(1);
  }
  const text = hoistConstants(readFileSync(textFile, 'utf8'));
  writeFileSync(textFile, text);
  writeFileSync(outFile, assemble(text));
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
