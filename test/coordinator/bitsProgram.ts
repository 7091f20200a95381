// One run of the test matrix in a process of its own, for scripts/bits.mjs: another Node, other flags of V8,
// another processor under emulation.
// Usage: node bitsProgram.js OPTIONS STEPS, both JSON. Prints the hashes after these steps.
import { canFuse } from '#src/kernels/platform.js';
import { type TraceOptions, traceOf } from './bitsTrace.js';

const [first, second] = process.argv.slice(2);
const options = JSON.parse(first!) as TraceOptions;
const steps = JSON.parse(second!) as number[];
const unfused = options.arithmetic === 'fused' && !canFuse();
console.log(
  JSON.stringify(
    unfused ? { missing: 'this machine does not fuse multiply-adds' } : await traceOf(options, steps),
  ),
);
