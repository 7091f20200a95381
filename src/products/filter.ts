import { type Address, NONE, plus } from '../kernels/address.js';
import type { Correlation } from './gather.js';
import type { MicroKernels } from './microKernels.js';
import type { Tensor } from './tensor.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * Most pixels of a block: both maps' block stays in the caches while all tiles of the gradient pass over it. With fewer, loading and
 * storing the tiles costs more than the first-level cache gains.
 */
const BLOCK_PIXELS = 170;

/**
 * Adds the first `images` images' weight gradient to `gradient`, or sets it: Σ big[sy·s + ky − pad, …] · small[sy, sx].
 * `big` and `small` are addresses of an activation on one side and a gradient on the other, `zeros` of sixteen zeros. Images, rows and pixels
 * are summed in order from what stands there, so micro-batches and blocks do not change a bit.
 */
export function addFilterGradient(
  kernels: MicroKernels,
  layer: Correlation,
  maps: { big: Tensor; small: Tensor },
  addresses: { big: Address; small: Address; gradient: Address },
  images: number,
  accumulate: boolean,
  zeros: Address,
): void {
  const { big, small } = maps;
  if (small.height * small.width === 1) {
    // One pixel an image: the images are the pixels.
    block(kernels, layer, maps, addresses, { pixels: images, lines: 1 }, accumulate, zeros, {
      big: big.imageStride,
      small: small.imageStride,
    });
    return;
  }
  const most = Math.max(1, Math.floor(BLOCK_PIXELS / small.width));
  // Blocks of about the same number of lines.
  const step = Math.ceil(small.height / Math.ceil(small.height / most));
  for (let image = 0; image < images; image++) {
    for (let line = 0; line < small.height; line += step) {
      block(
        kernels,
        layer,
        maps,
        {
          big: plus(addresses.big, big.offset(image, line * layer.strides[0], 0)),
          small: plus(addresses.small, small.offset(image, line, 0)),
          gradient: addresses.gradient,
        },
        { pixels: small.width, lines: Math.min(step, small.height - line) },
        accumulate || image > 0 || line > 0,
        zeros,
        { big: big.pixelStride * layer.strides[1], small: small.pixelStride },
      );
    }
  }
}

/** All taps over one block of pixels. */
function block(
  kernels: MicroKernels,
  layer: Correlation,
  { big, small }: { big: Tensor; small: Tensor },
  addresses: { big: Address; small: Address; gradient: Address },
  size: { pixels: number; lines: number },
  accumulate: boolean,
  zeros: Address,
  pixelStrides: { big: number; small: number },
): void {
  const [kernelHeight, kernelWidth] = layer.kernel;
  const rows = kernelWidth * big.channels;
  const filterGradient = kernels.filterGradient(rows);
  for (let ky = 0; ky < kernelHeight; ky++) {
    filterGradient({
      rows,
      columns: small.channels,
      gradient: plus(addresses.gradient, ky * rows * small.channels * FLOAT),
      big: plus(addresses.big, (ky - layer.padding[0]) * big.rowStride - layer.padding[1] * big.pixelStride),
      bigPixelStride: pixelStrides.big,
      bigLineStride: big.rowStride * layer.strides[0],
      small: addresses.small,
      smallPixelStride: pixelStrides.small,
      smallLineStride: small.rowStride,
      pixels: size.pixels,
      lines: size.lines,
      zeros: accumulate ? NONE : zeros,
    });
  }
}
