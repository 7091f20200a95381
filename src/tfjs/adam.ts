// TensorFlow.js's AdamOptimizer makes fourteen passes over every parameter. Here one update is one pass, with
// the same bits.

import { type Output, sizeOf } from './host.js';
import type { TensorFlow, TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

const KERNEL = 'LowerboundAdamStep';

/** What is used of a TensorFlow.js variable. */
interface Variable extends TensorInfo {
  dataSync(): ArrayLike<number>;
  assign(tensor: object): void;
}

/** What AdamOptimizer of TensorFlow.js 4.22 keeps. */
interface AdamState {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly accBeta1: Variable;
  readonly accBeta2: Variable;
  readonly accumulatedFirstMoment: readonly ({ readonly variable: Variable } | undefined)[];
  readonly accumulatedSecondMoment: readonly ({ readonly variable: Variable } | undefined)[];
}

/** By position, or by the variable's name. */
type Gradients =
  | readonly { readonly name: string; readonly tensor: TensorInfo | null }[]
  | Readonly<Record<string, TensorInfo | null>>;

type ApplyGradients = (this: AdamState, gradients: Gradients) => void;

/** `value`, `gradient`, `firstMoment`, `secondMoment` of variables → the next value and moments. */
export const ADAM_STEP: TrainingKernel = {
  kernelName: KERNEL,
  run({ host, inputs: { value, gradient, firstMoment, secondMoment }, attrs }) {
    if (!value || !gradient || !firstMoment || !secondMoment) return undefined;
    const { beta1, beta2, c1, c2, epsilon, learningRate } = attrs as Record<string, number>;
    const old = [value, firstMoment, secondMoment] as const;
    // In place where nobody else sees it: three more passes through memory are saved.
    const alone = old.every((tensor) => host.isSoleOwner(tensor));
    const [x, m, v] = old.map((tensor) =>
      alone
        ? { tensor: host.reshaped(tensor, tensor.shape), address: host.address(tensor) }
        : host.output(tensor.shape),
    ) as [Output, Output, Output];
    host.kernels.adamStep({
      x: host.address(value),
      gradient: host.address(gradient),
      m: host.address(firstMoment),
      v: host.address(secondMoment),
      count: sizeOf(value.shape),
      beta1: beta1 as number,
      rest1: 1 - (beta1 as number),
      beta2: beta2 as number,
      rest2: 1 - (beta2 as number),
      c1: c1 as number,
      c2: c2 as number,
      epsilon: epsilon as number,
      minusRate: -(learningRate as number),
      nextX: x.address,
      nextM: m.address,
      nextV: v.address,
    });
    return [x.tensor, m.tensor, v.tensor];
  },
};

/** The methods that were there before. */
const originals = new WeakMap<object, ApplyGradients>();

/**
 * Lets AdamOptimizer update by ADAM_STEP on the backend `wasm`. The first update, which makes the moments,
 * and any that is not all float32, stay TensorFlow.js's own.
 */
export function replaceAdam(tf: TensorFlow): void {
  const prototype = tf.AdamOptimizer?.prototype as { applyGradients: ApplyGradients } | undefined;
  if (prototype === undefined) return;
  const original = originals.get(prototype) ?? prototype.applyGradients;
  originals.set(prototype, original);
  prototype.applyGradients = function (gradients) {
    const updates = tf.getBackend() === 'wasm' ? updatesOf(tf, this, gradients) : undefined;
    if (updates === undefined) {
      original.call(this, gradients);
      return;
    }
    for (const update of updates) step(tf, this, update);
    // Nothing left to update but the powers of β and the count of iterations.
    original.call(this, []);
  };
}

interface Update {
  readonly value: Variable;
  readonly gradient: TensorInfo;
  readonly firstMoment: Variable;
  readonly secondMoment: Variable;
}

/** Undefined where a moment is missing or something is not float32. */
function updatesOf(tf: TensorFlow, state: AdamState, gradients: Gradients): readonly Update[] | undefined {
  const updates: Update[] = [];
  const named = Array.isArray(gradients)
    ? gradients.map(({ name, tensor }) => [name, tensor] as const)
    : Object.entries(gradients as Readonly<Record<string, TensorInfo | null>>);
  for (const [i, [name, gradient]] of named.entries()) {
    const value = tf.engine().registeredVariables[name] as Variable | undefined;
    const firstMoment = state.accumulatedFirstMoment[i]?.variable;
    const secondMoment = state.accumulatedSecondMoment[i]?.variable;
    if (value === undefined || firstMoment === undefined || secondMoment === undefined) return undefined;
    // A variable that the loss does not depend on.
    if (gradient === null || gradient === undefined) continue;
    if (value.dtype !== 'float32' || gradient.dtype !== 'float32') return undefined;
    if (sizeOf(value.shape) !== sizeOf(gradient.shape)) return undefined;
    updates.push({ value, gradient, firstMoment, secondMoment });
  }
  return updates;
}

function step(
  tf: TensorFlow,
  state: AdamState,
  { value, gradient, firstMoment, secondMoment }: Update,
): void {
  const { beta1, beta2, epsilon, learningRate, accBeta1, accBeta2 } = state;
  const c1 = Math.fround(1 - (accBeta1.dataSync()[0] ?? 0));
  const c2 = Math.fround(1 - (accBeta2.dataSync()[0] ?? 0));
  const engine = tf.engine();
  engine.tidy(() => {
    const inputs = { value, gradient, firstMoment, secondMoment };
    const attrs = { beta1, beta2, epsilon, learningRate, c1, c2 };
    const [x, m, v] = engine.runKernel(KERNEL, inputs, attrs) as readonly object[];
    if (x === undefined || m === undefined || v === undefined) throw new Error(`${KERNEL} gave no tensors.`);
    firstMoment.assign(m);
    secondMoment.assign(v);
    value.assign(x);
  });
}
