// maxPool, avgPool and upsample: through a table of each window's pixels (assembly/borderedWindows.ts).
import type { Address } from '../../../kernels/address.js';
import type { Arena } from '../../../kernels/arena.js';
import type { Kernels } from '../../../kernels/kernels.js';
import { sizeOf } from '../../../model/layout.js';
import type { ResampleLayer } from '../../../model/model.js';
import { Tensor } from '../../../products/tensor.js';
import type { Flow, LayerKind, Link } from './link.js';

export const resample: LayerKind<ResampleLayer> = {
  connect: (layer, input) => [resampleLink(layer, input)],
  floats: ({ output }) => sizeOf(output),
};

/** Pools read the big map, upsample the small one. */
interface Maps {
  readonly big: Tensor;
  readonly small: Tensor;
}

/** The table of windows, and the layout of images one behind the other. */
interface Windows {
  readonly table: Address;
  readonly windows: number;
  readonly channels: number;
  readonly images: number;
  readonly bigStride: number;
  readonly smallStride: number;
}

interface Method {
  forward(kernels: Kernels, windows: Windows, maps: Maps): void;
  backward(kernels: Kernels, windows: Windows, maps: Maps): void;
}

const METHODS: Readonly<Record<ResampleLayer['type'], Method>> = {
  maxPool: {
    forward: (kernels, windows, { big, small }) =>
      kernels.maxPoolForward({ ...windows, big: big.activation, small: small.activation }),
    backward: (kernels, windows, { big, small }) =>
      kernels.maxPoolBackward({
        ...windows,
        big: big.activation,
        dSmall: small.gradient,
        dBig: big.gradient,
      }),
  },
  avgPool: {
    forward: (kernels, windows, { big, small }) =>
      kernels.averagePoolForward({ ...windows, big: big.activation, small: small.activation }),
    backward: (kernels, windows, { big, small }) =>
      kernels.averagePoolBackward({ ...windows, dSmall: small.gradient, dBig: big.gradient }),
  },
  upsample: {
    forward: (kernels, windows, { big, small }) =>
      kernels.upsampleForward({ ...windows, small: small.activation, big: big.activation }),
    backward: (kernels, windows, { big, small }) =>
      kernels.upsampleBackward({ ...windows, dBig: big.gradient, dSmall: small.gradient }),
  },
};

function resampleLink(layer: ResampleLayer, input: Flow): Link {
  const output = Tensor.of(layer.output);
  const { gradient } = input;
  const density = layer.type === 'upsample' ? input.density : 1;
  return {
    output: { tensor: output, kept: false, density, gradient },
    allocate: ({ arena, images }) => output.allocate(arena, images),
    plan: ({ arena }) => {
      const pass = planResampling(arena, layer, input.tensor, output);
      return {
        forward: ({ kernels }, images) => pass.forward(kernels, images),
        backward: ({ kernels }, images) => {
          if (gradient) pass.backward(kernels, images);
        },
      };
    },
  };
}

/** Between tensors in their places. */
export function planResampling(arena: Arena, layer: ResampleLayer, input: Tensor, output: Tensor) {
  const { forward, backward } = METHODS[layer.type];
  const maps = layer.type === 'upsample' ? { big: output, small: input } : { big: input, small: output };
  const { big, small } = maps;
  const image = {
    table: arena.table(windowTable(layer, maps)),
    windows: small.height * small.width,
    channels: big.channels,
    bigStride: big.imageStride,
    smallStride: small.imageStride,
  };
  return {
    forward: (kernels: Kernels, images: number) => forward(kernels, { ...image, images }, maps),
    backward: (kernels: Kernels, images: number) => backward(kernels, { ...image, images }, maps),
  };
}

/** For each small pixel: its offset, how many big pixels its window has, and their offsets. */
function windowTable(
  { size, strides, padding }: Pick<ResampleLayer, 'size' | 'strides' | 'padding'>,
  { big, small }: Maps,
): number[] {
  const table: number[] = [];
  for (let y = 0; y < small.height; y++) {
    const rows = positions(y * strides[0] - padding[0], size[0], big.height);
    for (let x = 0; x < small.width; x++) {
      const columns = positions(x * strides[1] - padding[1], size[1], big.width);
      const pixels = rows.flatMap((row) => columns.map((column) => big.offset(0, row, column)));
      table.push(small.offset(0, y, x), pixels.length, ...pixels);
    }
  }
  return table;
}

/** Those of `size` positions from `first` on that lie in the map. */
function positions(first: number, size: number, extent: number): number[] {
  return Array.from({ length: size }, (_, i) => first + i).filter((at) => at >= 0 && at < extent);
}
