// Writes the list of layers that do not work into docs/tfjs-wasm.md. Usage: node
// build/bench/tfjs/layerPage.js

import { writeFileSync } from 'node:fs';
import { layerPage } from '../../test/tfjs/layerTable.js';

const { path, expected } = layerPage();
writeFileSync(path, expected);
