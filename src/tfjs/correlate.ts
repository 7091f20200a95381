// Both directions of a convolution over blocks: the passes of the training engine (products/gather.ts), on
// copies with borders where the taps leave a map.

import { type Address, addressOf, NONE, plus } from '../kernels/address.js';
import { Arena } from '../kernels/arena.js';
import { WIDEST_PANEL } from '../kernels/tiles/tile.js';
import {
  bigBorder,
  type Correlation,
  type GatherPass,
  gather,
  pack,
  packingUnits,
  planDown,
  planUp,
  smallBorder,
} from '../products/gather.js';
import { type MapShape, Tensor } from '../products/tensor.js';

import { type Block, type BlockSize, blockSize, blocksOf } from './blocks.js';
import { type Convolution, convolutionKey } from './convolution.js';
import type { Host } from './host.js';
import { planSourceMap, type SourceMap, sourceOfBlock } from './sourceMap.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
/** `down`: x to y, a convolution. `up`: y to x, its transpose. */
export type Direction = 'down' | 'up';

export interface Operands {
  /** Addresses of the map that is read, the filter, and the map that is written. */
  readonly source: Address;
  readonly filter: Address;
  readonly target: Address;
  /** The address of as many floats as the target has channels; 0 for none. */
  readonly bias: Address;
  readonly relu: boolean;
}

interface BlockPlan {
  readonly source: SourceMap;
  readonly passes: readonly GatherPass[];
  readonly packedBytes: number;
}

/** Computes a map from the other one. */
export function correlate(
  host: Host,
  direction: Direction,
  convolution: Convolution,
  operands: Operands,
): void {
  const { big, small, batch, strides } = convolution;
  const [from, to] = direction === 'down' ? [big, small] : [small, big];
  if (batch === 0 || sizeOf(to) === 0) return;
  // A sum without a bias starts from zeros.
  const bias = operands.bias === NONE ? host.zeros(roundUp(to[2], WIDEST_PANEL)) : operands.bias;
  if (sizeOf(from) === 0) {
    host.kernels.fillRows(operands.target, batch * to[0] * to[1], to[2], bias);
    return;
  }
  const step = direction === 'down' ? 1 : strides[0];
  const size = blockSize(batch, to[0], to[0] * to[1], (sizeOf(from) + sizeOf(to)) * FLOAT, step);
  let packed: BlockPlan | undefined;
  for (const block of blocksOf(batch, to[0], size)) {
    const plan = planBlock(host, direction, convolution, { images: size.images, lines: block.lines });
    const scratch = host.scratch(plan.packedBytes + plan.source.bytes);
    if (plan !== packed) packFilter(host, plan, operands.filter, scratch);
    packed = plan;
    runBlock(host, plan, { from, to }, block, operands, scratch, bias);
  }
}

function packFilter(host: Host, { passes }: BlockPlan, filter: Address, scratch: Address): void {
  for (const pass of passes) {
    pack(host.kernels, placed(pass, filter, scratch), 0, packingUnits(pass));
  }
}

/** A pass is planned at address 0, because filters and scratch memory move. */
function placed(pass: GatherPass, weights: Address, scratch: Address): GatherPass {
  return { ...pass, packing: { ...pass.packing, weights, packed: addressOf(scratch + pass.packing.packed) } };
}

function runBlock(
  host: Host,
  plan: BlockPlan,
  { from, to }: { readonly from: MapShape; readonly to: MapShape },
  block: Block,
  operands: Operands,
  scratch: Address,
  bias: Address,
): void {
  const copy = plus(scratch, plan.packedBytes);
  const source = sourceOfBlock(host, plan.source, from, operands.source, block, copy);
  const [height, width, channels] = to;
  const target = plus(operands.target, (block.image * height + block.line) * width * channels * FLOAT);
  for (const pass of plan.passes) {
    const ready = placed(pass, operands.filter, scratch);
    gather(host.microKernels, ready, source, target, block.images, bias, operands.relu);
  }
}

function planBlock(host: Host, direction: Direction, convolution: Convolution, size: BlockSize): BlockPlan {
  const key = `${direction} ${convolutionKey(convolution)} ${size.images} ${size.lines}`;
  return host.plan(key, (arena) =>
    direction === 'down'
      ? planDownBlock(arena, host, convolution, size)
      : planUpBlock(arena, host, convolution, size),
  );
}

function planDownBlock(
  arena: Arena,
  { panelWidth }: Host,
  convolution: Convolution,
  { images, lines }: BlockSize,
): BlockPlan {
  const { small } = convolution;
  const source = planBigMap(convolution, lines, images);
  const layer = downLayer(convolution, source, lines);
  const packedArena = new Arena(0);
  const maps = { big: source.tensor, small: new Tensor([lines, small[1], small[2]]) };
  // Several images only where a block has all of their lines.
  const pass = planDown({ arena, packedArena, panelWidth, weights: NONE, layer, ...maps, images });
  return { source, passes: [pass], packedBytes: packedArena.end };
}

/** What `lines` lines of y, of each of `images`, read of x. */
export function planBigMap(convolution: Convolution, lines: number, images: number): SourceMap {
  const { big, small, kernel, strides, dilations, padding } = convolution;
  const reach = (count: number) => (count - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1;
  const firstLine = -padding[0];
  const range = { firstLine, rate: strides[0], lines: reach(lines) };
  const { left, right } = bigBorder(convolution);
  return planSourceMap(big, range, reach(small[0]), { left, right }, images);
}

/** The convolution as a block sees it: its line 0 is where the first tap of the first line falls. */
export function downLayer(convolution: Convolution, { tensor }: SourceMap, lines: number): Correlation {
  const { small, padding } = convolution;
  return {
    ...convolution,
    big: tensor.shape,
    small: [lines, small[1], small[2]],
    padding: [0, padding[1]],
  };
}

function planUpBlock(
  arena: Arena,
  { panelWidth }: Host,
  convolution: Convolution,
  { images, lines }: BlockSize,
): BlockPlan {
  const { big, small, kernel, strides, padding } = convolution;
  // Small lines before the one that meets a line's first tap.
  const before = Math.floor((kernel[0] - 1) / strides[0]);
  const top = padding[0] + before * strides[0];
  const reach = (count: number) => Math.floor((count - 1 + top) / strides[0]) + 1;
  const local = { ...convolution, padding: [top, padding[1]] as const };
  const { left, right } = smallBorder({ ...local, big: [lines, big[1], big[2]] });
  const range = { firstLine: -before, rate: 1 / strides[0], lines: reach(lines) };
  const source = planSourceMap(small, range, reach(big[0]), { left, right }, images);
  const layer = { ...local, big: [lines, big[1], big[2]] as const, small: source.tensor.shape };
  const packedArena = new Arena(0);
  const maps = { big: new Tensor(layer.big), small: source.tensor };
  const passes = planUp({ arena, packedArena, panelWidth, weights: NONE, layer, ...maps, images });
  return { source, passes, packedBytes: packedArena.end };
}

function sizeOf([height, width, channels]: MapShape): number {
  return height * width * channels;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
