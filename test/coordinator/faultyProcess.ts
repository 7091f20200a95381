// A process of a job in which things go wrong on purpose. It prints what the program prints with --json.
// Usage: node faultyProcess.js OPTIONS FAULTS, both JSON: of train(), and of trainWithFaults().
import { trainWithFaults } from '#src/coordinator/train.js';
import type { TrainOptions } from '#src/index.js';
import type { Fault } from '#src/worker/fault.js';

const [first, second] = process.argv.slice(2);
const options = JSON.parse(first!) as TrainOptions;
const faults = JSON.parse(second!) as Fault[];
const print = (line: object) => console.log(JSON.stringify(line));
const { parameters: _parameters, ...result } = await trainWithFaults({ ...options, onEvent: print }, faults);
if (result.process === 0) print({ kind: 'result', ...result });
