// Writes the list of layers that do not work into docs/tfjs-wasm.md. Usage: node
// build/bench/tfjs/layerPage.js

import { writeFileSync } from 'node:fs';
import { layerPage, PAGE } from '../../test/tfjs/layerTable.js';

writeFileSync(PAGE, layerPage().expected);
