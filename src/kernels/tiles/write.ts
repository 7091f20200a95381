// Build step: writes the AssemblyScript that is generated. Usage: node write.js DIRECTORY ASSEMBLY, where
// ASSEMBLY is the path of the hand-written AssemblyScript as seen from DIRECTORY.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tileSource } from './source.js';

const [directory, assembly] = process.argv.slice(2);
if (directory === undefined || assembly === undefined) throw new Error('Usage: write.js DIRECTORY ASSEMBLY');
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'tiles.ts'), tileSource(assembly));
writeFileSync(join(directory, 'index.ts'), `export * from '${assembly}/index';\nexport * from './tiles';\n`);
