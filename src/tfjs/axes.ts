/** A tensor seen as [repeats, outer, kept, inner, columns], reduced over `outer` and `inner`. */
export interface Grouping {
  readonly repeats: number;
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

/** Merges neighbouring axes of the same fate; undefined where more than two groups are reduced. */
export function groupAxes(shape: readonly number[], axes: readonly number[]): Grouping | undefined {
  const groups: { size: number; reduced: boolean }[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const reduced = axes.includes(i);
    const last = groups.at(-1);
    if (last?.reduced === reduced) last.size *= size;
    else groups.push({ size, reduced });
  });
  const [a = 1, b = 1, c = 1, d = 1, e = 1] = groups.map(({ size }) => size);
  const count = groups.length;
  if (groups[0]?.reduced) {
    if (count === 1) return { repeats: 1, outer: 1, kept: 1, inner: a, columns: 1 };
    if (count === 2) return { repeats: 1, outer: 1, kept: 1, inner: a, columns: b };
    return count <= 4 ? { repeats: 1, outer: a, kept: b, inner: c, columns: d } : undefined;
  }
  if (count <= 3) return { repeats: 1, outer: 1, kept: a, inner: b, columns: c };
  return count <= 5 ? { repeats: a, outer: b, kept: c, inner: d, columns: e } : undefined;
}
