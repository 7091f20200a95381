import { tfjsContract } from './tfjsContract.js';

await tfjsContract('native');
