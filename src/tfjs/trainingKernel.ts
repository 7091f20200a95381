import type { Host } from './host.js';
import type { Attributes, NamedTensors, TensorFlow, TensorInfo } from './tensorflow.js';

/** One call of a kernel by TensorFlow.js. */
export interface KernelCall {
  readonly tf: TensorFlow;
  readonly host: Host;
  readonly inputs: NamedTensors;
  readonly attrs: Attributes;
  /** The kernel that was registered before, with these attributes in place of the call's own. */
  stock(attrs: Attributes): TensorInfo | TensorInfo[];
}

/** One kernel of TensorFlow.js, computed by ours. */
export interface TrainingKernel {
  /** As TensorFlow.js registers it, e.g. `Conv2DBackpropFilter`. */
  readonly kernelName: string;
  /**
   * The outputs, or undefined where this call is not for us (another dtype, an unusual attribute): the kernel
   * that was registered before computes it then. Nothing may have been allocated for it by then.
   */
  run(call: KernelCall): TensorInfo | TensorInfo[] | undefined;
}
