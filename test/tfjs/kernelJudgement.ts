// What is wrong with the outcome of a call that may be bad: it must be a sentence, or the right result.

import { gamma } from '../kernels/float32.js';
import type { Tf } from './gradientCases.js';
import type { Operand } from './kernelCalls.js';
import { type Outcome, type Result, runCall } from './kernelRun.js';
import type { VariedCall } from './variedCalls.js';

/** An error must be a sentence: a trap, or an exception of JavaScript, was not foreseen. */
export function faults(outcome: Outcome): string[] {
  if (!('error' in outcome) || outcome.sentence) return [];
  return [`${outcome.error.name}: ${outcome.error.message}`];
}

/** What differs from the backend `cpu`, which must be set, where there is a result. */
export function differences(tf: Tf, kernel: string, call: VariedCall, outcome: Outcome): string[] {
  const good = call.name === 'as it should be';
  if ('error' in outcome) return good ? [`a good call throws: ${outcome.error.message}`] : [];
  const operands = Object.values(call.inputs) as Operand[];
  const unlikeEmpty = call.unlikeEmpty !== undefined && operands.some(({ shape }) => shape.includes(0));
  if (!call.compared || unlikeEmpty) return [];
  const attrs = call.asCpuReads?.(call.attrs, operands) ?? call.attrs;
  const expected = runCall(tf, kernel, { ...call, attrs });
  if ('error' in expected)
    return [`there is a result ${brief(outcome.results)}, and cpu throws: ${expected.error.message}`];
  const { results } = outcome;
  if (results.length !== expected.results.length) return ['another number of results'];
  return results.flatMap((result, i) => {
    const wanted = expected.results[i]!;
    return isClose(result, wanted) ? [] : [`${brief([result])}, and cpu has ${brief([wanted])}`];
  });
}

function brief(results: readonly Result[]): string {
  return results
    .map(({ shape, dtype, values }) => `${dtype} [${shape}] ${values.slice(0, 12).join(' ')}`)
    .join('; ');
}

/**
 * Operands are small: no number is a sum of more than 512 terms, none of these is more than four times the
 * largest result, and none goes through more than 16 other roundings.
 */
function isClose(actual: Result, expected: Result): boolean {
  const same = `${actual.shape}` === `${expected.shape}` && actual.dtype === expected.dtype;
  if (!same || actual.values.length !== expected.values.length) return false;
  const numbers = expected.values.filter((value): value is number => Number.isFinite(value));
  const largest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bound = 2 * gamma(512 + 16) * 4 * largest;
  return expected.values.every((wanted, i) => {
    const value = actual.values[i];
    if (Object.is(value, wanted) || value === wanted) return true;
    return Math.abs(Number(value) - Number(wanted)) <= bound;
  });
}
