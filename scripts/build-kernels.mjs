// Compiles every target of a configuration of AssemblyScript from a source: node build-kernels.mjs [CONFIG ENTRY]. Without
// arguments the kernels, from the files that the step before has written to build/assembly.

import { readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';
import { hoistConstants } from './hoist-constants.mjs';

const [config = 'asconfig.json', entry = 'build/assembly/index.ts'] = process.argv.slice(2);
const { targets } = JSON.parse(readFileSync(config, 'utf8'));
for (const [target, { outFile, textFile }] of Object.entries(targets)) {
  const { error, stderr } = await asc.main([entry, '--config', config, '--target', target]);
  if (error) {
    console.error(`Target '${target}' of ${config}: ${error.message}\n${stderr.toString()}`);
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
