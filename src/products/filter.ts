import { type Address, NONE, plus } from '../kernels/address.js';
import type { FilterGradientArguments } from '../kernels/bindings.js';
import { FILTER_BLOCK_PIXELS } from '../kernels/tuning.js';
import type { Correlation } from './gather.js';
import type { FilterGradientKernel, MicroKernels } from './microKernels.js';
import type { Tensor } from './tensor.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * One record for all calls of a pass: a new one for each would cost more than the call
 * (docs/decisions/0001-typed-kernels.md).
 */
type Call = { -readonly [Name in keyof FilterGradientArguments]: FilterGradientArguments[Name] };

/**
 * Adds the first `images` images' weight gradient to `gradient`, or sets it: Σ big[sy·s + ky − pad, …] ·
 * small[sy, sx]. `big` and `small` are addresses of an activation on one side and a gradient on the other,
 * `zeros` of sixteen zeros. Images, rows and pixels are summed in order from what stands there, so
 * micro-batches and blocks do not change a bit.
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
  const onePixel = small.height * small.width === 1;
  const call: Call = {
    rows: layer.kernel[1] * big.channels,
    columns: small.channels,
    gradient: addresses.gradient,
    big: addresses.big,
    // Where an image has one pixel, the images are the pixels.
    bigPixelStride: onePixel ? big.imageStride : big.pixelStride * layer.strides[1],
    bigLineStride: big.rowStride * layer.strides[0],
    small: addresses.small,
    smallPixelStride: onePixel ? small.imageStride : small.pixelStride,
    smallLineStride: small.rowStride,
    pixels: onePixel ? images : small.width,
    lines: 1,
    zeros: accumulate ? NONE : zeros,
  };
  const filterGradient = kernels.filterGradient(call.rows);
  const addBlock = (image: number, line: number) => {
    const corner = plus(addresses.big, big.offset(image, line * layer.strides[0], 0));
    call.small = plus(addresses.small, small.offset(image, line, 0));
    allTaps(filterGradient, layer, big, call, corner, addresses.gradient);
    call.zeros = NONE;
  };
  if (onePixel) {
    addBlock(0, 0);
    return;
  }
  const most = Math.max(1, Math.floor(FILTER_BLOCK_PIXELS / small.width));
  // Blocks of about the same number of lines.
  const step = Math.ceil(small.height / Math.ceil(small.height / most));
  for (let image = 0; image < images; image++) {
    for (let line = 0; line < small.height; line += step) {
      call.lines = Math.min(step, small.height - line);
      addBlock(image, line);
    }
  }
}

/**
 * One block of pixels: `corner` is the address of the big map's pixel under its first one, without padding.
 */
function allTaps(
  filterGradient: FilterGradientKernel,
  layer: Correlation,
  big: Tensor,
  call: Call,
  corner: Address,
  gradient: Address,
): void {
  const [kernelHeight] = layer.kernel;
  const [top, left] = layer.padding;
  for (let ky = 0; ky < kernelHeight; ky++) {
    call.gradient = plus(gradient, ky * call.rows * call.columns * FLOAT);
    call.big = plus(corner, (ky - top) * big.rowStride - left * big.pixelStride);
    filterGradient(call);
  }
}
