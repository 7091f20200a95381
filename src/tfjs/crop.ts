// tf.image.cropAndResize. Stock TensorFlow.js copies whole lines where a crop is as wide as its box: it
// rounds the lines down then, and forgets the rest of a box that begins on a pixel.

import { sizeOf } from './host.js';
import type { TrainingKernel } from './trainingKernel.js';

/** Between two pixels of an axis, `weight` of the way to the second; undefined outside of the image. */
type Tap = { readonly first: number; readonly second: number; readonly weight: number } | undefined;

/** In float32, as TensorFlow computes positions. */
function tapsOf(from: number, to: number, size: number, crop: number, nearest: boolean): Tap[] {
  const { fround } = Math;
  const last = size - 1;
  const step = crop > 1 ? fround(fround(fround(to - from) * last) / (crop - 1)) : 0;
  const middle = fround(fround(0.5 * fround(from + to)) * last);
  return Array.from({ length: crop }, (_, i) => {
    const position = crop > 1 ? fround(fround(from * last) + fround(i * step)) : middle;
    if (!(position >= 0 && position <= last)) return undefined;
    if (nearest) return { first: Math.round(position), second: Math.round(position), weight: 0 };
    const first = Math.floor(position);
    return { first, second: Math.ceil(position), weight: fround(position - first) };
  });
}

interface Images {
  readonly values: Float32Array;
  readonly width: number;
  readonly channels: number;
  /** Index of the first float of the image that is cropped. */
  readonly start: number;
}

/** One line of a crop. */
function cropLine(
  { values, width, channels, start }: Images,
  row: Tap,
  columns: readonly Tap[],
  out: Float32Array,
  extrapolation: number,
) {
  let at = 0;
  for (const column of columns) {
    if (row === undefined || column === undefined) {
      out.fill(extrapolation, at, at + channels);
      at += channels;
      continue;
    }
    const pixel = (y: number, x: number) => start + (y * width + x) * channels;
    const [a, b] = [pixel(row.first, column.first), pixel(row.first, column.second)];
    const [c, d] = [pixel(row.second, column.first), pixel(row.second, column.second)];
    for (let i = 0; i < channels; i++) {
      const top = between(values[a + i]!, values[b + i]!, column.weight);
      const bottom = between(values[c + i]!, values[d + i]!, column.weight);
      out[at++] = between(top, bottom, row.weight);
    }
  }
}

function between(first: number, second: number, weight: number): number {
  return weight === 0 ? first : Math.fround(first + Math.fround(Math.fround(second - first) * weight));
}

export const CROP: TrainingKernel = {
  kernelName: 'CropAndResize',
  run({ host, inputs: { image, boxes, boxInd }, attrs }) {
    if (image?.dtype !== 'float32' || boxes?.dtype !== 'float32' || boxInd?.dtype !== 'int32')
      return undefined;
    const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
    const [lines = 0, columns = 0] = attrs.cropSize as readonly number[];
    const [count = 0] = boxes.shape;
    const out = host.output([count, lines, columns, channels]);
    // All addresses first: asking for one may make the memory grow, and views over it end then.
    const at = { boxes: host.address(boxes), boxInd: host.address(boxInd), image: host.address(image) };
    const corners = host.floats(at.boxes, count * 4);
    const picked = new Int32Array(host.heap.memory.buffer, at.boxInd, count);
    const values = host.floats(at.image, sizeOf(image.shape));
    const target = host.floats(out.address, sizeOf(out.tensor.shape));
    const nearest = attrs.method === 'nearest';
    const pitch = columns * channels;
    for (let box = 0; box < count; box++) {
      const index = picked[box] ?? 0;
      const crop = target.subarray(box * lines * pitch, (box + 1) * lines * pitch);
      if (index < 0 || index >= batch) {
        crop.fill(0);
        continue;
      }
      const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = corners.subarray(box * 4, box * 4 + 4);
      const across = tapsOf(x1, x2, width, columns, nearest);
      const images = { values, width, channels, start: index * height * width * channels };
      tapsOf(y1, y2, height, lines, nearest).forEach((row, line) => {
        const part = crop.subarray(line * pitch, (line + 1) * pitch);
        cropLine(images, row, across, part, attrs.extrapolationValue as number);
      });
    }
    return out.tensor;
  },
};
