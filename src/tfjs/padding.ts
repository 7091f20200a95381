/** The same padding of an image, [[0, 0], [top, bottom], [left, right], [0, 0]]. */
export type ExplicitPadding = readonly (readonly [number, number])[];

/**
 * A padding given as a number, axis by axis: for a number, tfjs-core computes the output's width with the
 * filter's height and the stride of the lines. Other paddings stay as they are.
 */
export function explicitPadding(pad: unknown): unknown {
  return typeof pad === 'number' ? paddingOf(pad, pad, pad, pad) : pad;
}

export function paddingOf(top: number, bottom: number, left: number, right: number): ExplicitPadding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}
