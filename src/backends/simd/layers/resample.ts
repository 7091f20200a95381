// maxPool, avgPool and upsample: through a table of each window's pixels (assembly/borderedWindows.ts).
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

/** Windows of an image, channels, images, and the strides from image to image. */
type Geometry = readonly [channels: number, images: number, bigStride: number, smallStride: number];

interface Method {
  forward(kernels: Kernels, table: number, windows: number, maps: Maps, geometry: Geometry): void;
  backward(kernels: Kernels, table: number, windows: number, maps: Maps, geometry: Geometry): void;
}

const METHODS: Readonly<Record<ResampleLayer['type'], Method>> = {
  maxPool: {
    forward: (kernels, table, windows, { big, small }, geometry) =>
      kernels.maxPoolForward(table, windows, big.activation, small.activation, ...geometry),
    backward: (kernels, table, windows, { big, small }, geometry) =>
      kernels.maxPoolBackward(table, windows, big.activation, small.gradient, big.gradient, ...geometry),
  },
  avgPool: {
    forward: (kernels, table, windows, { big, small }, geometry) =>
      kernels.averagePoolForward(table, windows, big.activation, small.activation, ...geometry),
    backward: (kernels, table, windows, { big, small }, geometry) =>
      kernels.averagePoolBackward(table, windows, small.gradient, big.gradient, ...geometry),
  },
  upsample: {
    forward: (kernels, table, windows, { big, small }, geometry) =>
      kernels.upsampleForward(table, windows, small.activation, big.activation, ...geometry),
    backward: (kernels, table, windows, { big, small }, geometry) =>
      kernels.upsampleBackward(table, windows, big.gradient, small.gradient, ...geometry),
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
  const table = arena.table(windowTable(layer, maps));
  const windows = small.height * small.width;
  const geometry = (images: number): Geometry => [big.channels, images, big.imageStride, small.imageStride];
  return {
    forward: (kernels: Kernels, images: number) => forward(kernels, table, windows, maps, geometry(images)),
    backward: (kernels: Kernels, images: number) => backward(kernels, table, windows, maps, geometry(images)),
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
