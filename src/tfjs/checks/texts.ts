// Strings: these kernels are written in JavaScript, and go wrong without a word.

import type { Attributes } from '../tensorflow.js';
import {
  type CheckedCall,
  inputOf,
  integersOf,
  type KernelChecks,
  rankedInput,
  refuse,
  sameShape,
  show,
  wholeNumber,
  wholeNumbers,
} from './kernelCheck.js';

function text(call: CheckedCall, name: string): void {
  const { dtype } = inputOf(call, name);
  if (dtype !== 'string') refuse(call, `'${name}' must hold strings, and is of ${dtype}.`);
}

function nGrams(call: CheckedCall): Attributes {
  const [count = 0] = rankedInput(call, 'data', 1).shape;
  text(call, 'data');
  rankedInput(call, 'dataSplits', 1);
  wholeNumbers(call, 'nGramWidths', call.attrs.nGramWidths, 1);
  wholeNumber(call, 'padWidth', call.attrs.padWidth, -1);
  const splits = integersOf(call, 'dataSplits');
  const inOrder = splits.every((at, i) => at >= (i === 0 ? 0 : (splits[i - 1] ?? 0)));
  if (splits.length > 0 && (splits[0] !== 0 || !inOrder || splits.at(-1) !== count)) {
    refuse(call, `'dataSplits' is ${show(splits)}, and must go up from 0 to ${count}.`);
  }
  return call.attrs;
}

function split(call: CheckedCall): Attributes {
  rankedInput(call, 'input', 1);
  text(call, 'input');
  sameShape(call, 'delimiter', []);
  text(call, 'delimiter');
  return call.attrs;
}

function hash(call: CheckedCall): Attributes {
  text(call, 'input');
  wholeNumber(call, 'numBuckets', call.attrs.numBuckets, 1);
  return call.attrs;
}

export const TEXT_CHECKS: KernelChecks = {
  StringNGrams: nGrams,
  StringSplit: split,
  StringToHashBucketFast: hash,
};
