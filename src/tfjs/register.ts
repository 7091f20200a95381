import { UsageError } from '../errors.js';
import { choosePlatform, type PlatformOptions, revectorizesTfjs } from '../kernels/platform.js';
import { runtime } from '../runtime.js';
import { replaceAdam } from './adam.js';
import { mendBatchNormLayer } from './batchNormLayer.js';
import { KERNEL_CHECKS } from './checks/kernelChecks.js';
import { replaceFusedConvolutions } from './fusedConvolution.js';
import { replaceGradients } from './gradients.js';
import { Host } from './host.js';
import { mendImageLayers } from './imageLayers.js';
import type { KernelArguments, KernelConfig, KernelFunction, TensorFlow, WasmBackend } from './tensorflow.js';
import { addTensorMethods } from './tensorMethods.js';
import type { TrainingKernel } from './trainingKernel.js';
import { TRAINING_KERNELS } from './trainingKernels.js';

const BACKEND = 'wasm';

const NOT_REVECTORIZED =
  `Nothing is re-vectorised: the V8 of ${runtime()} would compute some of TensorFlow.js's own kernels ` +
  'wrongly. Node 24 has 256-bit operations for them.';

/** What a kernel function of ours has replaced, so that registering twice does not stack. */
const replaced = new WeakMap<KernelFunction, KernelConfig | undefined>();

/**
 * Makes TensorFlow.js's backend `wasm` train: replaces its kernels by ours, and adds those that gradients
 * need and it lacks. Ours work on the backend's own memory and compute float32; for other dtypes the kernels
 * that were registered before stay in use. Call it once in each thread that uses TensorFlow.js, after the
 * backend's package is loaded; before or after `tf.setBackend('wasm')`. Calling it again, with other options
 * too, replaces what it registered. Node alone: the module is read from this package's files.
 *
 * @param tf `@tensorflow/tfjs-core` 4.22 or a package that exports it all.
 * @param options `revectorize` lets V8 use 256-bit operations, on Node 24; a flag that holds for the whole
 * process.
 * @returns warnings, in sentences.
 * @throws UsageError where the backend is missing, and for fused arithmetic on a machine that does not fuse.
 */
export function registerTrainingKernels(tf: TensorFlow, options: PlatformOptions = {}): readonly string[] {
  if (!tf.findBackendFactory(BACKEND)) {
    throw new UsageError(
      "TensorFlow.js has no backend 'wasm' here, so there is nothing to register training kernels for. " +
        "Install and import '@tensorflow/tfjs-backend-wasm' first, of the same version as the TensorFlow.js that was passed in.",
    );
  }
  const refused = options.revectorize === true && !revectorizesTfjs();
  const platform = choosePlatform({ ...options, ...(refused ? { revectorize: false } : {}) });
  const hosts = new WeakMap<object, Host>();
  const hostOf = (backend: object): Host => {
    let host = hosts.get(backend);
    if (host === undefined) {
      host = new Host(backend as WasmBackend, platform);
      hosts.set(backend, host);
    }
    return host;
  };
  const ours = new Map(TRAINING_KERNELS.map((kernel) => [kernel.kernelName, kernel]));
  for (const name of new Set([...ours.keys(), ...Object.keys(KERNEL_CHECKS)])) {
    replaceKernel(tf, name, ours.get(name), hostOf);
  }
  replaceAdam(tf);
  replaceGradients(tf);
  replaceFusedConvolutions(tf);
  addTensorMethods(tf);
  mendImageLayers(tf);
  mendBatchNormLayer(tf);
  return refused ? [...platform.warnings, NOT_REVECTORIZED] : platform.warnings;
}

/**
 * Registers a kernel that checks its call, and then computes it by ours or by the one that was there before.
 *
 * @param kernel undefined where only a check is ours.
 */
function replaceKernel(
  tf: TensorFlow,
  kernelName: string,
  kernel: TrainingKernel | undefined,
  hostOf: (backend: object) => Host,
): void {
  const current = tf.getKernel(kernelName, BACKEND) as KernelConfig | undefined;
  const stock = current && (replaced.has(current.kernelFunc) ? replaced.get(current.kernelFunc) : current);
  if (kernel === undefined && stock === undefined) return;
  const check = KERNEL_CHECKS[kernelName];
  const kernelFunc = (args: KernelArguments) => {
    const { inputs, backend, attrs: given = {} } = args;
    const host = hostOf(backend);
    const attrs = check?.({ kernelName, tf, host, inputs, attrs: given }) ?? given;
    const outputs = kernel?.run({
      tf,
      host,
      inputs,
      attrs,
      stock: (changed) => (stock ?? refuse(kernelName, args)).kernelFunc({ ...args, attrs: changed }),
    });
    if (outputs !== undefined) return outputs;
    return (stock ?? refuse(kernelName, args)).kernelFunc({ ...args, attrs });
  };
  replaced.set(kernelFunc, stock);
  if (current !== undefined) tf.unregisterKernel(kernelName, BACKEND);
  // TensorFlow.js calls setupFunc when a backend starts, perhaps after this: the stock kernel must still get
  // it.
  tf.registerKernel({ ...stock, kernelName, backendName: BACKEND, kernelFunc });
}

function refuse(kernelName: string, { inputs }: KernelArguments): never {
  const given = Object.entries(inputs).map(([name, tensor]) => `${name}: ${tensor?.dtype}`);
  throw new Error(
    `The wasm backend cannot compute '${kernelName}' of (${given.join(', ')}): TensorFlow.js has no such kernel there, ` +
      'and that of the training kernels takes float32 alone. Cast the tensors to float32.',
  );
}
