import { type Address, NONE, plus } from '../kernels/address.js';
import type { Arena } from '../kernels/arena.js';
import { inputListBytes } from '../kernels/listRoom.js';
import { FORWARD_SHARE_WORTH_LISTING, PANELS_AT_ONCE, ROWS_WORTH_COPYING } from '../kernels/tuning.js';
import type { Correlation } from './gather.js';
import type { InPlaceGemmKernel, MicroKernels } from './microKernels.js';
import { collides } from './pitch.js';
import type { Tensor } from './tensor.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const CACHE_LINE = 64;

/** A dense layer: [1, 1, inputs] and [1, 1, outputs]. */
export type DenseLayer = Pick<Correlation, 'big' | 'small'>;

/**
 * What the dense passes of a network share: room for some panels, for two transposed maps, and for lists of
 * nonzeros.
 */
export interface DenseScratch {
  readonly panels: Address;
  readonly lists: Address;
  readonly transposed: readonly [Address, Address];
  /** Bytes from channel to channel of a transposed map. */
  readonly pitch: number;
}

/**
 * A dense layer over all examples of a rank, its weights read where they stand: nothing is packed, so no rank
 * waits for what another one packs. The bits are those of the packed passes (gather.ts).
 */
export interface DensePass {
  readonly layer: DenseLayer;
  readonly input: Tensor;
  readonly output: Tensor;
  /** Address of the weights, [inputs, outputs]. */
  readonly weights: Address;
  readonly panelWidth: 8 | 16;
  /** Offsets of the examples' rows in the input and in the output. */
  readonly inputRows: Address;
  readonly outputRows: Address;
  /** One segment: all inputs of an example. */
  readonly inputSegment: Address;
  /** Offsets of the weights' rows, the same in a transposed map, and one segment: a row of weights. */
  readonly weightRows: Address;
  readonly transposedRows: Address;
  readonly weightSegment: Address;
  /** The input is the network's, of data that may be mostly zeros. */
  readonly data: boolean;
}

export interface DensePlan {
  readonly arena: Arena;
  readonly layer: DenseLayer;
  readonly input: Tensor;
  readonly output: Tensor;
  readonly weights: Address;
  readonly panelWidth: 8 | 16;
  /** Most examples. */
  readonly images: number;
  readonly scratch: DenseScratch;
  readonly data: boolean;
}

export interface DenseScratchPlan {
  readonly arena: Arena;
  readonly layers: readonly DenseLayer[];
  /** Most examples. */
  readonly images: number;
  readonly panelWidth: 8 | 16;
  /** Inputs of the layer that reads data, or 0. */
  readonly dataInputs: number;
}

export function planDenseScratch(plan: DenseScratchPlan): DenseScratch {
  const { arena, layers, images, panelWidth, dataInputs } = plan;
  const widest = Math.max(...layers.map((layer) => Math.max(layer.big[2], layer.small[2])));
  // An odd number of cache lines spreads a column over all sets; panels read up to a width behind the last
  // example.
  const lines = Math.ceil((Math.ceil(images / panelWidth) * panelWidth * FLOAT) / CACHE_LINE);
  const pitch = (lines + 1 - (lines % 2)) * CACHE_LINE;
  const map = () => arena.reserve(widest * pitch);
  const lists = arena.reserve(dataInputs === 0 ? 0 : images * inputListBytes(dataInputs));
  const panels = arena.floats(widest * panelWidth * PANELS_AT_ONCE);
  return { panels, transposed: [map(), map()], pitch, lists };
}

export function planDense({ arena, images, scratch, ...plan }: DensePlan): DensePass {
  const { layer, input, output } = plan;
  const [inputs, outputs] = [layer.big[2], layer.small[2]];
  const rows = (count: number, pitch: number) =>
    arena.table(Array.from({ length: count }, (_, i) => i * pitch));
  return {
    ...plan,
    inputRows: rows(images, input.imageStride),
    outputRows: rows(images, output.imageStride),
    inputSegment: arena.table([0, inputs]),
    weightRows: rows(inputs, outputs * FLOAT),
    transposedRows: rows(inputs, scratch.pitch),
    weightSegment: arena.table([0, outputs]),
  };
}

/** output = bias + input · W for the first `images` examples. */
export function denseForward(
  kernels: MicroKernels,
  pass: DensePass,
  scratch: DenseScratch,
  images: number,
  bias: Address,
  relu: boolean,
): void {
  if (pass.data && denseForwardListed(kernels, pass, scratch, images, bias, relu)) return;
  const inPlace = images < ROWS_WORTH_COPYING && !collides(pass.layer.small[2]);
  if (inPlace) denseForwardInPlace(kernels, pass, images, bias, relu);
  else denseForwardCopied(kernels, pass, scratch, images, bias, relu);
}

/** By lists of what is not zero in the input; false, and nothing done, where that would not pay. */
function denseForwardListed(
  { kernels, sumRows, listWidth }: MicroKernels,
  { layer, input, output, weights }: DensePass,
  { lists }: DenseScratch,
  images: number,
  bias: Address,
  relu: boolean,
): boolean {
  const [inputs, outputs] = [layer.big[2], layer.small[2]];
  if (outputs < listWidth) return false;
  const terms = kernels.listInputs({
    x: input.activation,
    images,
    inputs,
    pitch: input.imageStride,
    bias,
    weights,
    weightPitch: outputs * FLOAT,
    lists,
    share: FORWARD_SHARE_WORTH_LISTING,
  });
  if (terms < 0) return false;
  // There is one group, so no sum waits.
  const stack = NONE;
  sumRows({
    rows: images,
    columns: outputs,
    lists,
    out: output.activation,
    outPitch: output.imageStride,
    stack,
    relu: relu ? 1 : 0,
  });
  return true;
}

/** Reads the weights where they stand. */
export function denseForwardInPlace(
  kernels: MicroKernels,
  pass: DensePass,
  images: number,
  bias: Address,
  relu: boolean,
): void {
  const { layer, input, output, weights, inputRows, outputRows, inputSegment } = pass;
  const outputs = layer.small[2];
  kernels.gemmInPlace({
    rows: images,
    columns: outputs,
    a: input.activation,
    aOffsets: inputRows,
    segments: 1,
    segmentTable: inputSegment,
    b: weights,
    pitch: outputs * FLOAT,
    bias,
    out: output.activation,
    outOffsets: outputRows,
    relu: relu ? 1 : 0,
  });
}

/** Copies some panels of the weights after the others. */
export function denseForwardCopied(
  kernels: MicroKernels,
  pass: DensePass,
  { panels }: DenseScratch,
  images: number,
  bias: Address,
  relu: boolean,
): void {
  const { layer, input, output, weights, panelWidth, inputRows, outputRows, inputSegment } = pass;
  const [inputs, outputs] = [layer.big[2], layer.small[2]];
  const step = PANELS_AT_ONCE * panelWidth;
  for (let column = 0; column < outputs; column += step) {
    const columns = Math.min(step, outputs - column);
    const offset = column * FLOAT;
    kernels.kernels.packRows(plus(weights, offset), inputs, outputs * FLOAT, columns, panelWidth, panels);
    kernels.gemm({
      rows: images,
      columns,
      depth: inputs,
      a: input.activation,
      aOffsets: inputRows,
      segments: 1,
      segmentTable: inputSegment,
      b: panels,
      bias: plus(bias, offset),
      out: plus(output.activation, offset),
      outOffsets: outputRows,
      relu: relu ? 1 : 0,
    });
  }
}

/**
 * input.gradient = output.gradient · Wᵀ for the first `images` examples. `zeros` for as many floats as the
 * pitch has.
 */
export function denseInputGradient(
  kernels: MicroKernels,
  pass: DensePass,
  scratch: DenseScratch,
  images: number,
  zeros: Address,
): void {
  const { layer, output, input, weights } = pass;
  const [inputs, outputs] = [layer.big[2], layer.small[2]];
  const few = kernels.transposedRest(images, inputs);
  const first = images - few;
  if (first > 0) inputGradientInPanels(kernels, pass, scratch, first, zeros);
  if (few > 0) {
    kernels.gemmTransposed(few)({
      rows: few,
      columns: inputs,
      depth: outputs,
      a: plus(output.gradient, first * output.imageStride),
      aPitch: output.imageStride,
      b: weights,
      bPitch: outputs * FLOAT,
      out: plus(input.gradient, first * input.imageStride),
      outPitch: input.imageStride,
    });
  }
}

/**
 * Computed transposed: a row of the product is then a row of W, which stands as the GEMM wants its left
 * operand, and only the small maps are turned. Any number of examples.
 */
function inputGradientInPanels(
  kernels: MicroKernels,
  pass: DensePass,
  { transposed, pitch }: DenseScratch,
  images: number,
  zeros: Address,
): void {
  const { layer, output, input, weights, weightRows, weightSegment, transposedRows } = pass;
  const [inputs, outputs] = [layer.big[2], layer.small[2]];
  const [from, to] = transposed;
  kernels.kernels.transposeMatrix(output.gradient, images, outputs, output.imageStride, from, pitch);
  const gemm = (kernel: InPlaceGemmKernel, first: number, columns: number) => {
    const [b, out] = [plus(from, first * FLOAT), plus(to, first * FLOAT)];
    kernel({
      rows: inputs,
      columns,
      a: weights,
      aOffsets: weightRows,
      segments: 1,
      segmentTable: weightSegment,
      b,
      pitch,
      bias: zeros,
      out,
      outOffsets: transposedRows,
      relu: 0,
    });
  };
  const rest = kernels.narrowRest(images);
  if (rest < images) gemm(kernels.gemmInPlace, 0, images - rest);
  if (rest > 0) gemm(kernels.gemmInPlaceNarrow, images - rest, rest);
  kernels.kernels.transposeMatrix(to, inputs, images, pitch, input.gradient, input.imageStride);
}
