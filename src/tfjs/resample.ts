// Images made larger or smaller, and the gradients. TensorFlow.js's cpu backend has the gradients wrong for
// several examples.

import type { Address } from '../kernels/address.js';
import type { Host } from './host.js';
import type { Attributes, TensorInfo } from './tensorflow.js';
import type { TrainingKernel } from './trainingKernel.js';

/** Input positions to output positions along an axis. */
interface Scale {
  readonly size: number;
  readonly outSize: number;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Where an output position lies in the input, as TensorFlow.js's forward kernels have it. */
function sourceOf({ size, outSize, alignCorners, halfPixelCenters }: Scale, at: number): number {
  const inset = alignCorners && outSize > 1 ? 1 : 0;
  const scale = (size - inset) / (outSize - inset);
  return halfPixelCenters ? scale * (at + 0.5) : scale * at;
}

function nearestTable(scale: Scale): number[] {
  return Array.from({ length: scale.outSize }, (_, at) => {
    const source = sourceOf(scale, at);
    const nearest = scale.alignCorners ? Math.round(source) : Math.floor(source);
    return Math.max(0, Math.min(scale.size - 1, nearest));
  });
}

/** The input positions that an output position is made of, each with its weight, as bits of a float32. */
function nearestTaps(scale: Scale): number[] {
  return nearestTable(scale).flatMap((position) => [position, floatBits(1)]);
}

function bilinearTaps(scale: Scale): number[] {
  return Array.from({ length: scale.outSize }, (_, at) => {
    const source = sourceOf(scale, at) - (scale.halfPixelCenters ? 0.5 : 0);
    const low = Math.max(0, Math.floor(source));
    const high = Math.min(scale.size - 1, Math.ceil(source));
    const weight = Math.fround(source - low);
    return [low, floatBits(Math.fround(1 - weight)), high, floatBits(weight)];
  }).flat();
}

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

interface Images {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly rows: Address;
  readonly columns: Address;
}

/**
 * @param tableOf of an axis.
 * @param out height and width of the larger or smaller images.
 */
function planOf(
  host: Host,
  tableOf: (scale: Scale) => number[],
  images: TensorInfo,
  out: readonly [number, number],
  attrs: Attributes,
): Images {
  const alignCorners = attrs.alignCorners === true;
  const halfPixelCenters = attrs.halfPixelCenters === true;
  return host.plan(`${tableOf.name} ${images.shape} ${out} ${alignCorners} ${halfPixelCenters}`, (arena) => {
    const [batch = 0, height = 0, width = 0, channels = 0] = images.shape;
    const [outHeight, outWidth] = out;
    const table = (size: number, outSize: number) =>
      arena.table(tableOf({ size, outSize, alignCorners, halfPixelCenters }));
    const [rows, columns] = [table(height, outHeight), table(width, outWidth)];
    return { batch, height, width, channels, outHeight, outWidth, rows, columns };
  });
}

const nearest: TrainingKernel = {
  kernelName: 'ResizeNearestNeighbor',
  run({ host, inputs: { images }, attrs }) {
    if (images?.dtype !== 'float32') return undefined;
    const size = attrs.size as readonly [number, number];
    const plan = planOf(host, nearestTable, images, size, attrs);
    const { batch, height, width, channels, rows, outHeight, columns, outWidth } = plan;
    const out = host.output([batch, outHeight, outWidth, channels]);
    const x = host.address(images);
    const { kernels } = host;
    kernels.resampleNearest({
      x,
      batch,
      inHeight: height,
      inWidth: width,
      channels,
      rows,
      outHeight,
      columns,
      outWidth,
      out: out.address,
    });
    return out.tensor;
  },
};

function gradient(kernelName: string, tableOf: (scale: Scale) => number[], taps: number): TrainingKernel {
  return {
    kernelName,
    run({ host, inputs: { images, dy }, attrs }) {
      if (images?.dtype !== 'float32' || dy?.dtype !== 'float32') return undefined;
      const size: [number, number] = [dy.shape[1] ?? 0, dy.shape[2] ?? 0];
      const plan = planOf(host, tableOf, images, size, attrs);
      const { batch, height, width, channels, rows, outHeight, columns, outWidth } = plan;
      const out = host.output(images.shape);
      host.kernels.resampleGradient({
        dy: host.address(dy),
        batch,
        inHeight: height,
        inWidth: width,
        channels,
        taps,
        rows,
        outHeight,
        columns,
        outWidth,
        dx: out.address,
      });
      return out.tensor;
    },
  };
}

export const RESAMPLING: readonly TrainingKernel[] = [
  nearest,
  gradient('ResizeNearestNeighborGrad', nearestTaps, 1),
  gradient('ResizeBilinearGrad', bilinearTaps, 2),
];
