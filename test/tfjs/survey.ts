// The tables of docs/tfjs-wasm-kernels.md: every gradient of tfjs-core, layer, loss and optimizer on
// TensorFlow.js's stock backend `wasm`, and again with the training kernels.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import { registerTrainingKernels } from '#src/tfjs/index.js';
import { type GradientCase, gradientCases } from './gradientCases.js';
import { byDifferences, reference } from './gradientReference.js';
import { type GradientResult, runGradient, tensorOf } from './gradientRun.js';
import { layerCases, losses, optimizers } from './layerCases.js';
import { trainLayer, trainLoss } from './layerRun.js';
import { type MendedCase, mendedCases } from './mendedCases.js';

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
  return `throws: ${message.split(/\.(?:\s|$)|\n/)[0]}`;
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

function referenceOf(each: GradientCase | MendedCase): GradientResult {
  if (gradientCases.includes(each)) return reference(tf, each);
  const equivalent = 'equivalent' in each ? each.equivalent : undefined;
  return equivalent ? runGradient(tf, { ...each, run: equivalent }) : byDifferences(tf, each);
}

/** Computed once on `cpu`; again where that fails, as mended gradients may be there later. */
async function referenceFor<T>(f: () => T | Promise<T>): Promise<() => Promise<Outcome<T>>> {
  let outcome = await attempt('cpu', f);
  return async () => {
    if ('error' in outcome) outcome = await attempt('cpu', f);
    return outcome;
  };
}

async function rows(): Promise<Row[]> {
  const gradients: Row[] = [];
  for (const each of [...gradientCases, ...mendedCases]) {
    const expected = await referenceFor(() => referenceOf(each));
    gradients.push({
      name: each.name,
      group: each.kernel,
      // A profile of a gradient that fails leaves a rejection behind.
      kernels: gradientCases.includes(each) ? await gradientKernels(each) : [],
      run: async () =>
        verdict(await attempt('wasm', () => runGradient(tf, each)), await expected(), numbersOf),
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
    const expected = await referenceFor(train);
    result.push({
      name,
      group: '',
      kernels: [],
      run: async () => verdict(await attempt('wasm', train), await expected(), ({ after }) => after),
    });
  }
  return result;
}

async function verdicts(all: readonly Row[]): Promise<string[]> {
  const result: string[] = [];
  for (const { run } of all) result.push(await run());
  return result;
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** A line for each gradient; where its cases differ, one for each verdict. */
function gradientTable(all: readonly Row[], before: readonly string[], after: readonly string[]): string[] {
  const lines = [
    line(['gradient of', 'kernels it calls', 'stock', 'with the training kernels']),
    line(['---', '---', '---', '---']),
  ];
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
      lines.push(line([label, [...kernels].join(', ') || '–', key]));
    }
  }
  return lines;
}

function trainingTable(all: readonly Row[], before: readonly string[], after: readonly string[]): string[] {
  const lines = [
    line(['LayersModel.trainOnBatch with', 'stock', 'with the training kernels']),
    line(['---', '---', '---']),
  ];
  const groups = new Map<string, string[]>();
  all.forEach(({ name }, i) => {
    const key = `${before[i]} | ${after[i]}`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  });
  for (const [key, names] of groups) lines.push(line([names.join('; '), key]));
  return lines;
}

export interface Survey {
  readonly gradients: string;
  readonly trainings: string;
}

/** In a process where the training kernels are not registered yet: it registers them half-way. */
export async function survey(): Promise<Survey> {
  const [gradients, trainings] = [await rows(), await trainingRows()];
  const stock = [await verdicts(gradients), await verdicts(trainings)] as const;
  registerTrainingKernels(tf);
  const ours = [await verdicts(gradients), await verdicts(trainings)] as const;
  return {
    gradients: gradientTable(gradients, stock[0], ours[0]).join('\n'),
    trainings: trainingTable(trainings, stock[1], ours[1]).join('\n'),
  };
}
