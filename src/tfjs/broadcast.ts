/**
 * Two operands over one output, axes merged where both go on alike: blocks of three outer axes and the inner
 * one.
 */
export interface Broadcast {
  /** The output's shape, as TensorFlow.js has it. */
  readonly shape: readonly number[];
  /**
   * In elements, where each block begins in the operands; one after another in the output. One where four
   * axes are enough.
   */
  readonly blocks: readonly Block[];
  readonly extents: readonly number[];
  /** In elements; the inner one is 0 or 1. */
  readonly aSteps: readonly number[];
  readonly bSteps: readonly number[];
}

export interface Block {
  readonly a: number;
  readonly b: number;
}

/** The number of a block's axes. */
const AXES = 4;

interface Axis {
  readonly extent: number;
  readonly a: number;
  readonly b: number;
}

/** The shapes fit each other: TensorFlow.js has checked that. */
export function broadcast(a: readonly number[], b: readonly number[]): Broadcast {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  const axes: Axis[] = [];
  let aStep = 1;
  let bStep = 1;
  // From the last axis to the first.
  for (let i = 1; i <= rank; i++) {
    const aExtent = a[a.length - i] ?? 1;
    const bExtent = b[b.length - i] ?? 1;
    const extent = aExtent === 1 ? bExtent : aExtent;
    shape.unshift(extent);
    if (extent !== 1) addAxis(axes, { extent, a: aExtent === 1 ? 0 : aStep, b: bExtent === 1 ? 0 : bStep });
    aStep *= aExtent;
    bStep *= bExtent;
  }
  const blocks = blocksOver(axes.slice(AXES));
  axes.length = Math.min(axes.length, AXES);
  while (axes.length < AXES) axes.push({ extent: 1, a: 0, b: 0 });
  const [inner] = axes;
  // One number alone: both operands stand still, which the kernel has no loop for.
  if (inner !== undefined && inner.a === 0 && inner.b === 0) axes[0] = { extent: 1, a: 1, b: 1 };
  axes.reverse();
  return {
    shape,
    blocks,
    extents: axes.map((axis) => axis.extent),
    aSteps: axes.map((axis) => axis.a),
    bSteps: axes.map((axis) => axis.b),
  };
}

/** `axes` from the inside out: the next one becomes a part of the last where both operands just go on. */
function addAxis(axes: Axis[], next: Axis): void {
  const last = axes.at(-1);
  if (last !== undefined && next.a === last.a * last.extent && next.b === last.b * last.extent) {
    axes[axes.length - 1] = { ...last, extent: last.extent * next.extent };
  } else {
    axes.push(next);
  }
}

/** Every place of the axes beyond a block's, from the inside out. */
function blocksOver(axes: readonly Axis[]): Block[] {
  return axes.reduce<Block[]>(
    (blocks, { extent, a, b }) =>
      Array.from({ length: extent }, (_, i) =>
        blocks.map((block) => ({ a: block.a + i * a, b: block.b + i * b })),
      ).flat(),
    [{ a: 0, b: 0 }],
  );
}
