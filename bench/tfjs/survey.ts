// Writes the verdicts on gradients, layers, losses and optimizers into docs/tfjs-wasm-kernels.md. Usage: node
// build/bench/tfjs/survey.js

import { writeFileSync } from 'node:fs';
import { pageWith } from '../../test/tfjs/generatedTable.js';
import { survey } from '../../test/tfjs/survey.js';

const { path, expected } = pageWith('tfjs-wasm-kernels.md', { ...(await survey()) });
writeFileSync(path, expected);
