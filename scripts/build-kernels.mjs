// Compiles every target of asconfig.json, from the files that the step before has written to build/assembly.

import { readFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const config = new URL('../asconfig.json', import.meta.url);
for (const target of Object.keys(JSON.parse(readFileSync(config, 'utf8')).targets)) {
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
}
