// tf.einsum, which stock TensorFlow.js does not have on `wasm`: one matrix product over batches, with
// transpositions around it.

import { type Run, reshape, runnerOf } from './composition.js';
import { sizeOf } from './host.js';
import type { TensorFlow, TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

/** A tensor with a label, one letter, for each axis. */
interface Labelled {
  readonly tensor: TensorInfo;
  readonly labels: string;
}

/** Labels of the operands and of the output. */
export interface Equation {
  readonly operands: readonly string[];
  readonly output: string;
}

/**
 * @throws Error in TensorFlow.js's words for what it does not take: more than two operands, a label twice in
 * an operand, an ellipsis, no arrow; and for a label that is twice in the output.
 */
export function readEquation(tf: TensorFlow, text: string, operands: readonly TensorInfo[]): Equation {
  const { decodeEinsumEquation, checkEinsumDimSizes } = tf.backend_util;
  const { allDims, idDims } = decodeEinsumEquation(text, operands.length);
  checkEinsumDimSizes(allDims.length, idDims, [...operands]);
  const output = text.replace(/\s/g, '').split('->')[1] ?? '';
  if (new Set(output).size !== output.length) {
    throw new Error(`Einsum: the output '${output}' of '${text}' has a label twice. Each may be there once.`);
  }
  return { output, operands: idDims.map((axes) => axes.map((axis) => allDims[axis]).join('')) };
}

export const EINSUM: TrainingKernel = {
  kernelName: 'Einsum',
  run({ tf, inputs, attrs }) {
    const operands = Object.values(inputs) as TensorInfo[];
    if (operands.some(({ dtype }) => dtype !== 'float32')) return undefined;
    const equation = readEquation(tf, String(attrs.equation), operands);
    const run = runnerOf(tf);
    return tf.engine().tidy(() => {
      const [a, b] = operands.map((tensor, i) => ({ tensor, labels: equation.operands[i] ?? '' }));
      const result = b === undefined ? (a as Labelled) : contracted(run, a as Labelled, b, equation.output);
      return arranged(run, summed(run, result, equation.output), equation.output);
    }) as TensorInfo;
  },
};

/** a · b, summed over the labels that both have and the output has not. */
function contracted(run: Run, a: Labelled, b: Labelled, output: string): Labelled {
  const left = summed(run, a, output + b.labels);
  const right = summed(run, b, output + a.labels);
  const shared = [...left.labels].filter((label) => right.labels.includes(label));
  const batch = shared.filter((label) => output.includes(label)).join('');
  const inner = shared.filter((label) => !output.includes(label)).join('');
  const rows = without(left.labels, shared);
  const columns = without(right.labels, shared);
  const size = (labels: string) => sizeOf(extents(labels, left, right));
  const matrices = (x: Labelled, first: string, second: string) =>
    reshape(run, arranged(run, x, batch + first + second), [size(batch), size(first), size(second)]);
  const products = run(
    'BatchMatMul',
    { a: matrices(left, rows, inner), b: matrices(right, inner, columns) },
    { transposeA: false, transposeB: false },
  );
  const labels = batch + rows + columns;
  return { tensor: reshape(run, products, extents(labels, left, right)), labels };
}

function without(labels: string, left: readonly string[]): string {
  return [...labels].filter((label) => !left.includes(label)).join('');
}

function extents(labels: string, ...tensors: readonly Labelled[]): number[] {
  return [...labels].map((label) => {
    const holder = tensors.find((each) => each.labels.includes(label));
    return holder?.tensor.shape[holder.labels.indexOf(label)] ?? 1;
  });
}

/** Sums over the axes whose labels are not wanted any more. */
function summed(run: Run, { tensor, labels }: Labelled, wanted: string): Labelled {
  const axis = [...labels].flatMap((label, i) => (wanted.includes(label) ? [] : [i]));
  if (axis.length === 0) return { tensor, labels };
  const sum = run('Sum', { x: tensor }, { axis, keepDims: false });
  return { tensor: sum, labels: [...labels].filter((label) => wanted.includes(label)).join('') };
}

/** A new tensor with its axes in this order. */
function arranged(run: Run, { tensor, labels }: Labelled, order: string): TensorInfo {
  if (labels === order) return run('Identity', { x: tensor });
  return run('Transpose', { x: tensor }, { perm: [...order].map((label) => labels.indexOf(label)) });
}
