import type { Address } from '../kernels/address.js';
import type { Arena } from '../kernels/arena.js';
import type { Kernels } from '../kernels/kernels.js';
import type { MicroKernels } from './microKernels.js';
import type { Border, MapShape, Tensor } from './tensor.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Up to this many columns, dot products along k beat panels. */
const DOT_COLUMNS = 4;

/** Whether a pass with so many columns is one of dot products. */
export function isDot(columns: number): boolean {
  return columns <= DOT_COLUMNS;
}

/** How packed weights are read from the parameters: see assembly/pack.ts. */
interface Packing {
  readonly weights: Address;
  readonly segments: number;
  readonly tapsPerSegment: number;
  readonly tapOffsets: Address;
  readonly inner: number;
  readonly innerStride: number;
  readonly columns: number;
  readonly columnStride: number;
  readonly panelWidth: 8 | 16;
  readonly packed: Address;
}

/**
 * One GEMM over gathered rows: either the whole `down` pass of a layer (big map → small map) or one phase of
 * its `up` pass (small map → big map). Which is forward and which is the input gradient depends on the
 * layer's type.
 */
export interface GatherPass {
  readonly dot: boolean;
  /** Rows for one image. */
  readonly rows: number;
  readonly columns: number;
  /** Floats of a packed column. */
  readonly depth: number;
  /** Byte offsets of each row's start in the source, and in the target, image by image. */
  readonly sourceOffsets: Address;
  readonly targetOffsets: Address;
  readonly segments: number;
  readonly segmentTable: Address;
  readonly packing: Packing;
}

/**
 * The geometry of a layer with weights: a convolution reads the big map and writes the small one, a
 * transposed convolution the other way round. Big position of small pixel sy and tap ky: sy·strideH + ky −
 * padTop. Dilated taps have `down` alone.
 */
export interface Correlation {
  readonly big: MapShape;
  readonly small: MapShape;
  /** [kh, kw]. */
  readonly kernel: readonly [number, number];
  /** [strideH, strideW]. */
  readonly strides: readonly [number, number];
  /** [padTop, padLeft]. */
  readonly padding: readonly [number, number];
  /** Big pixels from tap to tap, [down, across]; default 1. */
  readonly dilations?: readonly [number, number];
}

/** The geometry shared by both directions; `weights` is the address of the layer's weights. */
export interface GatherPlan {
  readonly arena: Arena;
  /** Width of the panels of packed weights. */
  readonly panelWidth: 8 | 16;
  /** Where the packed weights go: shared by all workers, or private. */
  readonly packedArena: Arena;
  readonly weights: Address;
  readonly layer: Correlation;
  readonly big: Tensor;
  readonly small: Tensor;
  readonly images: number;
}

/** Border of the big map that `down` and the filter gradient read. */
export function bigBorder(layer: Correlation): Border {
  const [height, width] = layer.big;
  const [smallHeight, smallWidth] = layer.small;
  const [kernelHeight, kernelWidth] = layer.kernel;
  const [strideH, strideW] = layer.strides;
  const [down, across] = layer.dilations ?? [1, 1];
  const [top, left] = layer.padding;
  return {
    top,
    left,
    bottom: Math.max(0, (smallHeight - 1) * strideH + (kernelHeight - 1) * down + 1 - top - height),
    right: Math.max(0, (smallWidth - 1) * strideW + (kernelWidth - 1) * across + 1 - left - width),
  };
}

/** Border of the small map that `up` reads. */
export function smallBorder(layer: Correlation): Border {
  const rows = axisPhases(layer, 0).map((phase) => phaseReach(phase, layer.small[0]));
  const columns = axisPhases(layer, 1).map((phase) => phaseReach(phase, layer.small[1]));
  return {
    top: Math.max(0, ...rows.map((reach) => reach.before)),
    bottom: Math.max(0, ...rows.map((reach) => reach.after)),
    left: Math.max(0, ...columns.map((reach) => reach.before)),
    right: Math.max(0, ...columns.map((reach) => reach.after)),
  };
}

/**
 * small[sy, sx] = Σ_ky Σ_kx big[sy·s + ky·d − pad, …] · W: rows are small pixels, a segment is a row of taps.
 */
export function planDown(plan: GatherPlan): GatherPass {
  const { arena, layer, big, small, images } = plan;
  const [kernelHeight, kernelWidth] = layer.kernel;
  const sourceOffsets: number[] = [];
  const targetOffsets: number[] = [];
  for (let image = 0; image < images; image++) {
    for (let y = 0; y < small.height; y++) {
      for (let x = 0; x < small.width; x++) {
        const [top, left] = layer.padding;
        sourceOffsets.push(big.offset(image, y * layer.strides[0] - top, x * layer.strides[1] - left));
        targetOffsets.push(small.offset(image, y, x));
      }
    }
  }
  const taps = range(kernelHeight * kernelWidth);
  const [down, across] = layer.dilations ?? [1, 1];
  // Taps with gaps between them are segments of their own.
  const tapsPerSegment = across === 1 ? kernelWidth : 1;
  const starts = taps
    .filter((tap) => tap % tapsPerSegment === 0)
    .map((tap) => {
      const [ky, kx] = [Math.floor(tap / kernelWidth), tap % kernelWidth];
      return ky * down * big.rowStride + kx * across * big.pixelStride;
    });
  const length = tapsPerSegment * big.channels;
  return {
    ...gatherShape(small.channels, starts.length, length),
    rows: small.height * small.width,
    sourceOffsets: offsetTable(arena, sourceOffsets),
    targetOffsets: offsetTable(arena, targetOffsets),
    segmentTable: arena.table(starts.flatMap((start) => [start, length])),
    packing: planPacking(plan, taps, starts.length, tapsPerSegment, {
      inner: big.channels,
      innerStride: small.channels * FLOAT,
      columns: small.channels,
      columnStride: FLOAT,
    }),
  };
}

/**
 * big[Y, X] = Σ small[(Y + pad − ky) / s, …] · Wᵀ over the taps that divide: one pass for each phase of the
 * strides. Taps run backwards, so that neighbouring small pixels are one segment.
 */
export function planUp(plan: GatherPlan): GatherPass[] {
  const rowPhases = axisPhases(plan.layer, 0);
  const columnPhases = axisPhases(plan.layer, 1);
  return rowPhases.flatMap((rowPhase) =>
    columnPhases.map((columnPhase) => planPhase(plan, rowPhase, columnPhase)),
  );
}

/** Positions of the big map along one axis that meet the same taps. */
interface AxisPhase {
  /** Positions in the big map. */
  readonly positions: readonly number[];
  /** Small position that meets the first tap, for each. */
  readonly starts: readonly number[];
  /** Taps in the order of ascending small positions. */
  readonly taps: readonly number[];
}

function axisPhases(layer: Correlation, axis: 0 | 1): AxisPhase[] {
  const stride = layer.strides[axis];
  const padding = layer.padding[axis];
  const phases: AxisPhase[] = [];
  for (let phase = 0; phase < stride; phase++) {
    const taps = range(layer.kernel[axis])
      .filter((tap) => tap % stride === phase)
      .reverse();
    const positions = range(layer.big[axis]).filter((position) => (position + padding) % stride === phase);
    const starts = positions.map((position) => (position + padding - phase) / stride - (taps.length - 1));
    if (positions.length > 0) phases.push({ positions, starts, taps });
  }
  return phases;
}

/** How far a phase reads before and behind the small map. */
function phaseReach({ starts, taps }: AxisPhase, size: number): { before: number; after: number } {
  if (taps.length === 0) return { before: 0, after: 0 };
  return { before: -starts[0]!, after: starts[starts.length - 1]! + taps.length - size };
}

function planPhase(plan: GatherPlan, rowPhase: AxisPhase, columnPhase: AxisPhase): GatherPass {
  const { arena, layer, big, small, images } = plan;
  const sourceOffsets: number[] = [];
  const targetOffsets: number[] = [];
  // A phase without taps (kernel smaller than the stride) is the bias alone: it reads nothing.
  const empty = rowPhase.taps.length === 0 || columnPhase.taps.length === 0;
  for (let image = 0; image < images; image++) {
    rowPhase.positions.forEach((y, i) => {
      columnPhase.positions.forEach((x, j) => {
        sourceOffsets.push(empty ? 0 : small.offset(image, rowPhase.starts[i]!, columnPhase.starts[j]!));
        targetOffsets.push(big.offset(image, y, x));
      });
    });
  }
  const segments = empty ? 0 : rowPhase.taps.length;
  const length = columnPhase.taps.length * small.channels;
  const taps = rowPhase.taps.flatMap((ky) => columnPhase.taps.map((kx) => ky * layer.kernel[1] + kx));
  return {
    ...gatherShape(big.channels, segments, length),
    rows: rowPhase.positions.length * columnPhase.positions.length,
    sourceOffsets: offsetTable(arena, sourceOffsets),
    targetOffsets: offsetTable(arena, targetOffsets),
    segmentTable: segmentTable(arena, segments, small.rowStride, length),
    packing: planPacking(plan, taps, segments, columnPhase.taps.length, {
      inner: small.channels,
      innerStride: FLOAT,
      columns: big.channels,
      columnStride: small.channels * FLOAT,
    }),
  };
}

function gatherShape(columns: number, segments: number, length: number) {
  const dot = isDot(columns);
  return { dot, columns, segments, depth: segments * (dot ? Math.ceil(length / 4) * 4 : length) };
}

/** Offsets may be negative (a row that starts in the border): u32 addition wraps around. */
function offsetTable(arena: Arena, offsets: readonly number[]): Address {
  return arena.table(offsets.map((offset) => offset >>> 0));
}

function segmentTable(arena: Arena, segments: number, stride: number, length: number): Address {
  return arena.table(range(segments).flatMap((segment) => [segment * stride, length]));
}

function planPacking(
  plan: GatherPlan,
  taps: readonly number[],
  segments: number,
  tapsPerSegment: number,
  axes: { inner: number; innerStride: number; columns: number; columnStride: number },
): Packing {
  const { layer, arena, packedArena, weights, panelWidth } = plan;
  const tapBytes = layer.big[2] * layer.small[2] * FLOAT;
  const { columns, depth } = gatherShape(axes.columns, segments, tapsPerSegment * axes.inner);
  return {
    weights,
    segments,
    tapsPerSegment,
    tapOffsets: arena.table(taps.map((tap) => tap * tapBytes)),
    ...axes,
    panelWidth,
    packed: packedArena.floats(Math.ceil(columns / panelWidth) * panelWidth * depth),
  };
}

/** Panels, the unit in which workers share the packing; a dot pass is one unit. */
export function packingUnits(pass: GatherPass): number {
  return pass.dot ? 1 : Math.ceil(pass.columns / pass.packing.panelWidth);
}

/** Packs units [from, to) of a pass. */
export function pack(kernels: Kernels, pass: GatherPass, from: number, to: number): void {
  const p = pass.packing;
  if (p.segments === 0 || from >= to) return;
  if (pass.dot) {
    kernels.packColumns({
      source: p.weights,
      segments: p.segments,
      tapsPerSegment: p.tapsPerSegment,
      tapOffsets: p.tapOffsets,
      inner: p.inner,
      innerStride: p.innerStride,
      columns: p.columns,
      columnStride: p.columnStride,
      destination: p.packed,
    });
  } else {
    kernels.packPanels({
      source: p.weights,
      taps: p.segments * p.tapsPerSegment,
      tapOffsets: p.tapOffsets,
      inner: p.inner,
      innerStride: p.innerStride,
      columns: p.columns,
      columnStride: p.columnStride,
      width: p.panelWidth,
      from,
      to,
      destination: p.packed,
    });
  }
}

/** Runs a pass over the first `images` images; `bias` is an address, of zeros where there is none. */
export function gather(
  kernels: MicroKernels,
  pass: GatherPass,
  source: Address,
  target: Address,
  images: number,
  bias: Address,
  relu: boolean,
): void {
  const rows = pass.rows * images;
  const gemm = pass.dot ? kernels.dot : kernels.gemm;
  gemm({
    rows,
    columns: pass.columns,
    depth: pass.depth,
    a: source,
    aOffsets: pass.sourceOffsets,
    segments: pass.segments,
    segmentTable: pass.segmentTable,
    b: pass.packing.packed,
    bias,
    out: target,
    outOffsets: pass.targetOffsets,
    relu: relu ? 1 : 0,
  });
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
