/** A tensor seen as [outer, kept, inner, columns], reduced over `outer` and `inner`. */
export interface Grouping {
  readonly outer: number;
  readonly kept: number;
  readonly inner: number;
  /** 1 where the last axis is reduced. */
  readonly columns: number;
}

/** Axes of an attribute of TensorFlow.js: one, several, or none for all; negative ones count from the end. */
export function axesOf(axis: unknown, rank: number): readonly number[] {
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, i) => i);
  const axes = (Array.isArray(axis) ? axis : [axis]) as readonly number[];
  return axes.map((a) => (a < 0 ? a + rank : a));
}

/** The shape that is left when the axes are reduced. */
export function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  const all = shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return keepDims ? all : all.filter((_, i) => !axes.includes(i));
}

/** Merges neighbouring axes of the same fate; undefined where more than two groups are reduced, or kept behind. */
export function groupAxes(shape: readonly number[], axes: readonly number[]): Grouping | undefined {
  const groups: { size: number; reduced: boolean }[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const reduced = axes.includes(i);
    const last = groups.at(-1);
    if (last?.reduced === reduced) last.size *= size;
    else groups.push({ size, reduced });
  });
  const sizes = groups.map(({ size }) => size);
  const [a = 1, b = 1, c = 1, d = 1] = sizes;
  const startsReduced = groups[0]?.reduced ?? false;
  if (startsReduced) {
    if (sizes.length === 1) return { outer: 1, kept: 1, inner: a, columns: 1 };
    if (sizes.length === 2) return { outer: 1, kept: 1, inner: a, columns: b };
    if (sizes.length <= 4) return { outer: a, kept: b, inner: c, columns: d };
    return undefined;
  }
  return sizes.length <= 3 ? { outer: 1, kept: a, inner: b, columns: c } : undefined;
}
