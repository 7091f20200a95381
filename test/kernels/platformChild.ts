// Usage: node --allow-natives-syntax platformChild.js TASK; prints a report (platformProcess.ts) as JSON.

import type { Kernels } from '#src/kernels/kernels.js';
import { compileKernels } from '#src/kernels/kernels.js';
import { canFuse, choosePlatform, type Platform, unsharedKernels } from '#src/kernels/platform.js';
import { EveryKernel, kernelNames } from './everyKernel.js';
import { injectFault, isSelfTested } from './faultyEngine.js';
import type { Report, Task } from './platformProcess.js';

/** Milliseconds: V8 optimises in the background, and the machine may be busy. */
const PATIENCE = 20_000;

/**
 * Whether V8 uses a function's optimised code. Only scripts that are parsed with the flag know the intrinsic.
 */
const isOptimized = new Function('kernel', 'return %IsTurboFanFunction(kernel)') as (f: unknown) => boolean;

const startsOptimized = (module: WebAssembly.Module) => isOptimized(new EveryKernel(module).exports.gemm6x8);

const unsharedStartsOptimized = (platform: Platform) => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const { exports } = new WebAssembly.Instance(unsharedKernels(platform), { env: { memory } });
  return isOptimized(exports.gemm6x8);
};

/** Calls kernels until all are optimised; returns those that are not. */
function optimize(every: EveryKernel): (keyof Kernels)[] {
  const start = performance.now();
  let rest = [...kernelNames];
  while (rest.length > 0 && performance.now() - start < PATIENCE) {
    for (const name of rest) for (let i = 0; i < 100; i++) every.call(name);
    rest = rest.filter((name) => !isOptimized(every.exports[name]));
  }
  return rest;
}

/** Which kernels of the self-test V8 does not optimise by the calls of the self-test alone. */
function leftUnoptimized(module: WebAssembly.Module): (keyof Kernels)[] {
  const { exports } = new EveryKernel(module);
  const left = () => kernelNames.filter((name) => isSelfTested(name) && !isOptimized(exports[name]));
  const start = performance.now();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (left().length > 0 && performance.now() - start < PATIENCE) Atomics.wait(pause, 0, 0, 10);
  return left();
}

function runAll(module: WebAssembly.Module): Pick<Report, 'digests' | 'unoptimized'> {
  const every = new EveryKernel(module);
  const unoptimized = optimize(every);
  const digests = Object.fromEntries(kernelNames.map((name) => [name, every.digest(name)]));
  return { digests, unoptimized };
}

function report({ options, fault, digests, selfTest }: Task): Report {
  if (fault !== undefined) injectFault(fault, 30);
  let platform: Platform | undefined;
  let error: Error | undefined;
  try {
    platform = choosePlatform(options);
  } catch (thrown) {
    error = thrown as Error;
  }
  const { module, ...rest } = platform ?? {};
  return {
    canFuse: canFuse(),
    optimizedAtOnce: module !== undefined && startsOptimized(module),
    unsharedOptimizedAtOnce: platform !== undefined && unsharedStartsOptimized(platform),
    laterOptimizedAtOnce: startsOptimized(compileKernels('portable', 'later')),
    platform: platform && (rest as Omit<Platform, 'module'>),
    error: error && { name: error.name, message: error.message },
    unoptimizedBySelfTest: module && selfTest ? leftUnoptimized(module) : [],
    ...(module && digests ? runAll(module) : { digests: {}, unoptimized: [] }),
  };
}

console.log(JSON.stringify(report(JSON.parse(process.argv[2]!) as Task)));
