import { UsageError } from '../errors.js';
import type { Reader } from '../model/jsonReader.js';

/** Places in the test set. */
export interface ExampleRange {
  readonly first: number;
  /** Without it. */
  readonly end: number;
}

export const exampleRange: Reader<ExampleRange> = (value, place) => {
  const { first, end } = (value ?? {}) as Partial<ExampleRange>;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(end) || first! < 0 || first! >= end!) {
    throw place.error('is not { first, end }, whole numbers from 0 up, first below end');
  }
  return { first: first!, end: end! };
};

/** @throws UsageError where the test set does not have all of them. */
export function requireWithin({ first, end }: ExampleRange, count: number): ExampleRange {
  if (end > count) {
    throw new UsageError(
      `There are no test examples ${first}:${end}: the test set has ${count}, which are 0:${count}.`,
    );
  }
  return { first, end };
}

/** [first, end), one by one. */
export function placesOf({ first, end }: ExampleRange): readonly number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}
