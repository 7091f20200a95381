// The tables of docs/tfjs-wasm-kernels.md: every gradient of tfjs-core, layer, loss and optimizer on
// TensorFlow.js's stock backend `wasm`, and again with the training kernels. Usage: node
// build/bench/tfjs/survey.js

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { registerTrainingKernels } from '#src/tfjs/index.js';
import { type GradientCase, gradientCases } from '../../test/tfjs/gradientCases.js';
import { reference } from '../../test/tfjs/gradientReference.js';
import { type GradientResult, runGradient, tensorOf } from '../../test/tfjs/gradientRun.js';
import { layerCases, losses, optimizers } from '../../test/tfjs/layerCases.js';
import { trainLayer, trainLoss } from '../../test/tfjs/layerRun.js';

/**
 * The allowed difference as a share of the largest number: rounding stays far below it, a wrong gradient far
 * above.
 */
const TOLERANCE = 1e-4;

type Outcome<T> = { readonly result: T } | { readonly error: string };

async function attempt<T>(backend: string, f: () => T | Promise<T>): Promise<Outcome<T>> {
  await tf.setBackend(backend);
  try {
    return { result: await f() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Largest difference as a part of the largest expected number. */
function distance(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  const distances = expected.map((values, k) => {
    let [error, largest] = [0, 0];
    values.forEach((value, i) => {
      const difference = Math.abs(actual[k]![i]! - value);
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(error, difference);
      largest = Math.max(largest, Math.abs(value));
    });
    return error / (largest || 1);
  });
  return Math.max(...distances);
}

function verdict<T>(
  outcome: Outcome<T>,
  expected: Outcome<T>,
  numbers: (result: T) => readonly Float32Array[],
): string {
  if ('error' in outcome) return shortened(outcome.error);
  if ('error' in expected) return 'no reference';
  return distance(numbers(outcome.result), numbers(expected.result)) <= TOLERANCE ? 'right' : '**wrong**';
}

function shortened(message: string): string {
  const kernel = /Kernel '(\w+)' not registered/.exec(message)?.[1];
  if (kernel !== undefined) return `throws: no \`${kernel}\``;
  return `throws: ${message.split(/[.\n]/)[0]}`;
}

const numbersOf = ({ value, gradients }: GradientResult) => [value, ...gradients];

/** Names of the kernels that run, in the order of their first use. */
async function kernelsOf(f: () => void): Promise<string[]> {
  const { kernels } = await tf.profile(() => {
    tf.tidy(f);
    return tf.scalar(0);
  });
  return kernels.map(({ name }) => name).filter((name) => name !== 'Identity' && !name.endsWith('__op'));
}

/** Kernels that a gradient calls: those of the gradient without those of two forward passes. */
async function gradientKernels(gradientCase: GradientCase): Promise<readonly string[]> {
  await tf.setBackend('cpu');
  const inputs = () => gradientCase.inputs.map((spec, i) => tensorOf(tf, spec, i + 1));
  const constants = () => gradientCase.constants.map((spec, i) => tensorOf(tf, spec, i + 101));
  try {
    const forward = await kernelsOf(() => gradientCase.run(tf, inputs(), constants()));
    const all = await kernelsOf(() => runGradient(tf, gradientCase));
    return [...new Set(all.slice(2 * forward.length))];
  } catch {
    return [];
  }
}

interface Row {
  /** What is shown where rows of the same group differ. */
  readonly name: string;
  readonly group: string;
  /** Kernels that a gradient calls. */
  readonly kernels: readonly string[];
  readonly run: () => Promise<string>;
}

async function rows(): Promise<Row[]> {
  const gradients: Row[] = [];
  for (const each of gradientCases) {
    const expected = await attempt('cpu', () => reference(tf, each));
    gradients.push({
      name: each.name,
      group: each.kernel,
      kernels: await gradientKernels(each),
      run: async () => verdict(await attempt('wasm', () => runGradient(tf, each)), expected, numbersOf),
    });
  }
  return gradients;
}

async function trainingRows(): Promise<Row[]> {
  const trainings = [
    ...layerCases.map((each) => [each.name, () => trainLayer(tf, tfl, each)] as const),
    ...(Object.entries(losses) as [keyof typeof losses, 'numbers'][]).map(
      ([loss, kind]) => [`loss ${loss}`, () => trainLoss(tf, tfl, loss, kind, 'sgd')] as const,
    ),
    ...optimizers.map(
      (name) => [`optimizer ${name}`, () => trainLoss(tf, tfl, 'meanSquaredError', 'numbers', name)] as const,
    ),
  ];
  const result: Row[] = [];
  for (const [name, train] of trainings) {
    const expected = await attempt('cpu', train);
    result.push({
      name,
      group: '',
      kernels: [],
      run: async () => verdict(await attempt('wasm', train), expected, ({ after }) => after),
    });
  }
  return result;
}

async function verdicts(all: readonly Row[]): Promise<string[]> {
  const result: string[] = [];
  for (const { run } of all) result.push(await run());
  return result;
}

const line = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);

/** A line for each gradient; where its cases differ, one for each verdict. */
function printGradients(all: readonly Row[], before: readonly string[], after: readonly string[]): void {
  line(['gradient of', 'kernels it calls', 'stock', 'with the training kernels']);
  line(['---', '---', '---', '---']);
  for (const group of new Set(all.map((row) => row.group))) {
    const verdictsOf = new Map<string, number[]>();
    all.forEach((row, i) => {
      const key = `${before[i]} | ${after[i]}`;
      if (row.group === group) verdictsOf.set(key, [...(verdictsOf.get(key) ?? []), i]);
    });
    for (const [key, members] of verdictsOf) {
      const cases = members.map((i) => all[i]!.name).join('; ');
      const kernels = new Set(members.flatMap((i) => all[i]!.kernels));
      const label = verdictsOf.size > 1 ? `\`${group}\`: ${cases}` : `\`${group}\``;
      line([label, [...kernels].join(', ') || '–', key]);
    }
  }
  console.log();
}

function printTrainings(all: readonly Row[], before: readonly string[], after: readonly string[]): void {
  line(['LayersModel.trainOnBatch with', 'stock', 'with the training kernels']);
  line(['---', '---', '---']);
  const groups = new Map<string, string[]>();
  all.forEach(({ name }, i) => {
    const key = `${before[i]} | ${after[i]}`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  });
  for (const [key, names] of groups) line([names.join('; '), key]);
}

const [gradients, trainings] = [await rows(), await trainingRows()];
const stock = [await verdicts(gradients), await verdicts(trainings)] as const;
registerTrainingKernels(tf);
const ours = [await verdicts(gradients), await verdicts(trainings)] as const;
printGradients(gradients, stock[0], ours[0]);
printTrainings(trainings, stock[1], ours[1]);
