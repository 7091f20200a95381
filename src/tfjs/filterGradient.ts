import { type Address, plus } from '../kernels/address.js';
import { WIDEST_PANEL } from '../kernels/tiles/tile.js';
import { addFilterGradient } from '../products/filter.js';
import type { Correlation } from '../products/gather.js';
import { Tensor } from '../products/tensor.js';
import { blockSize, blocksOf } from './blocks.js';
import type { Convolution } from './convolution.js';
import { downLayer, planBigMap } from './correlate.js';
import type { Host } from './host.js';
import { sourceOfBlock } from './sourceMap.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
/**
 * gradient[ky][kx][c][n] = Σ x[sy·s + ky·d − pad, …][c] · dy[sy, sx][n], over all images and pixels.
 * Addresses.
 */
export function computeFilterGradient(
  host: Host,
  convolution: Convolution,
  { x, dy, gradient }: { readonly x: Address; readonly dy: Address; readonly gradient: Address },
): void {
  const { big, small, kernel, batch } = convolution;
  const [height, width, channels] = small;
  const pixels = height * width;
  if (batch * pixels === 0) {
    host.kernels.zeroFloats(gradient, kernel[0] * kernel[1] * big[2] * channels);
    return;
  }
  const imageBytes = (big[0] * big[1] * big[2] + pixels * channels) * FLOAT;
  const size = blockSize(batch, height, pixels, imageBytes, 1);
  const zeros = host.zeros(WIDEST_PANEL);
  const copy = host.scratch(planBigMap(convolution, size.lines, size.images).bytes);
  for (const block of blocksOf(batch, height, size)) {
    const source = planBigMap(convolution, block.lines, size.images);
    const maps = { big: source.tensor, small: new Tensor([block.lines, width, channels]) };
    const addresses = {
      big: sourceOfBlock(host, source, big, x, block, copy),
      small: plus(dy, (block.image * height + block.line) * width * channels * FLOAT),
      gradient,
    };
    const layer = downLayer(convolution, source, block.lines);
    const further = block.image > 0 || block.line > 0;
    for (const part of partsOf(layer)) {
      const target = { ...addresses, gradient: plus(gradient, part.offset) };
      addFilterGradient(host.microKernels, part.layer, maps, target, block.images, further, zeros);
    }
  }
}

/** Filters whose taps are neighbours in the input, and where each begins in the whole one. */
function partsOf(layer: Correlation): { readonly layer: Correlation; readonly offset: number }[] {
  const [down, across] = layer.dilations ?? [1, 1];
  if (down === 1 && across === 1) return [{ layer, offset: 0 }];
  const [height, width] = layer.kernel;
  const taps = across === 1 ? width : 1;
  const tapBytes = layer.big[2] * layer.small[2] * FLOAT;
  const [top, left] = layer.padding;
  return Array.from({ length: (height * width) / taps }, (_, i) => {
    const [ky, kx] = [Math.floor((i * taps) / width), (i * taps) % width];
    return {
      layer: { ...layer, kernel: [1, taps], padding: [top - ky * down, left - kx * across] },
      offset: i * taps * tapBytes,
    };
  });
}
