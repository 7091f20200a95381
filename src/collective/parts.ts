/** A run of neighbours: the first one, and the one behind the last. */
export interface PartRange {
  readonly first: number;
  readonly end: number;
}

/**
 * First element of a part, when `count` elements are cut into `parts` contiguous parts of nearly equal size.
 */
export function partStart(count: number, parts: number, part: number): number {
  return Math.floor((count * part) / parts);
}

/** All elements of a part: see partStart. */
export function partRange(count: number, parts: number, part: number): PartRange {
  return { first: partStart(count, parts, part), end: partStart(count, parts, part + 1) };
}
