import { type Address, plus } from '../kernels/address.js';
import { type MapShape, Tensor } from '../products/tensor.js';

import type { Block } from './blocks.js';
import type { Host } from './host.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** What a block of a correlation reads of a map, of which TensorFlow.js has no border. */
export interface SourceMap {
  /** Extents and strides of what is read. */
  readonly tensor: Tensor;
  /** False: the map is read where it stands. */
  readonly copied: boolean;
  /** Bytes of the copies of a block. */
  readonly bytes: number;
  /** Line of the map that is line 0 for a block that begins at the target's line 0; may be negative. */
  readonly firstLine: number;
  /** Source lines, for each line of the target: line l of the target begins at firstLine + l · rate. */
  readonly rate: number;
}

/**
 * @param map [height, width, channels].
 * @param lines that a block reads of each of its `images`, from `firstLine` on.
 * @param allLines that all blocks of an image read together.
 * @param sides zeros that are read beside each line.
 */
export function planSourceMap(
  map: MapShape,
  range: { readonly firstLine: number; readonly rate: number; readonly lines: number },
  allLines: number,
  sides: { readonly left: number; readonly right: number },
  images: number,
): SourceMap {
  const [height, width, channels] = map;
  const { firstLine, rate, lines } = range;
  const border = Math.max(sides.left, sides.right);
  const copied = border > 0 || firstLine < 0 || firstLine + allLines > height;
  if (!copied) return { tensor: new Tensor(map), copied, bytes: 0, firstLine, rate };
  const tensor = new Tensor([lines, width, channels]);
  tensor.require({ top: 0, bottom: 0, ...sides });
  const bytes = images * tensor.imageStride + border * channels * FLOAT;
  return { tensor, copied, bytes, firstLine, rate };
}

/**
 * Address of what a block's target line 0 begins to read: pixel (0, 0) of `tensor`.
 * @param copy address for the copies.
 */
export function sourceOfBlock(
  host: Host,
  { tensor, copied, firstLine, rate }: SourceMap,
  map: MapShape,
  address: Address,
  block: Block,
  copy: Address,
): Address {
  const [height, width, channels] = map;
  const lineFloats = width * channels;
  const first = firstLine + block.line * rate;
  if (!copied) return plus(address, (block.image * height + first) * lineFloats * FLOAT);
  const { kernels } = host;
  const pitch = tensor.rowStride / FLOAT;
  const border = pitch - lineFloats;
  const above = Math.min(Math.max(-first, 0), tensor.height);
  const inside = Math.max(Math.min(height, first + tensor.height) - Math.max(first, 0), 0);
  const below = tensor.height - above - inside;
  for (let i = 0; i < block.images; i++) {
    const target = plus(copy, i * tensor.imageStride);
    const source = plus(address, ((block.image + i) * height + Math.max(first, 0)) * lineFloats * FLOAT);
    if (above > 0) kernels.zeroFloats(target, above * pitch);
    const middle = plus(target, above * tensor.rowStride);
    kernels.copyBordered(source, middle, inside, lineFloats, border);
    if (below > 0) kernels.zeroFloats(plus(middle, inside * tensor.rowStride), below * pitch + border);
  }
  return plus(copy, border * FLOAT);
}
