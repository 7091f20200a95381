// The gradient of tf.image.cropAndResize. A crop is R · image · Cᵀ: R has for each of its lines the weights
// of the image's lines, C likewise for columns. Both are crops themselves, of the unit matrix.

import { filled, product, type Run, reshape, summedRows } from './composition.js';
import type { Attributes, GradientConfig, TensorFlow, TensorInfo } from './tensorflow.js';

/** The gradients of the image, and of the boxes: how the crop changes where a box moves. */
export function cropGradient(tf: TensorFlow, run: Run): GradientConfig {
  return {
    kernelName: 'CropAndResize',
    inputsToSave: ['image', 'boxes', 'boxInd'],
    gradFunc: (dy, saved, attrs) => {
      const [image, boxes, boxInd] = saved as [TensorInfo, TensorInfo, TensorInfo];
      const weights = () => weightsOf(run, image, boxes, attrs);
      return {
        image: () => imageGradient(run, dy, weights(), image, boxInd),
        // A crop by the nearest pixels does not change where a box moves a little.
        boxes: () =>
          attrs.method === 'nearest'
            ? filled(run, boxes.shape, 0)
            : boxGradient(
                tf,
                run,
                dy,
                weights(),
                run('GatherV2', { x: image, indices: boxInd }, { axis: 0 }),
              ),
      };
    },
  };
}

interface Weights {
  /** [boxes, lines of the crop, lines of the image] */
  readonly lines: TensorInfo;
  /** [boxes, columns of the crop, columns of the image] */
  readonly columns: TensorInfo;
}

function weightsOf(
  run: Run,
  image: TensorInfo,
  boxes: TensorInfo,
  { cropSize, method }: Attributes,
): Weights {
  const [, height = 0, width = 0] = image.shape;
  const [lines = 0, columns = 0] = cropSize as readonly number[];
  const [count = 0] = boxes.shape;
  const boxInd = run('Fill', {}, { shape: [count], value: 0, dtype: 'int32' });
  const crop = (size: number, shape: readonly number[], crops: readonly number[]) =>
    run(
      'CropAndResize',
      { image: reshape(run, unitMatrix(run, size), [1, ...shape, size]), boxes, boxInd },
      { cropSize: crops, method, extrapolationValue: 0 },
    );
  return {
    lines: reshape(run, crop(height, [height, 1], [lines, 1]), [count, lines, height]),
    columns: reshape(run, crop(width, [1, width], [1, columns]), [count, columns, width]),
  };
}

function unitMatrix(run: Run, size: number): TensorInfo {
  const indices = run('Range', {}, { start: 0, stop: size, step: 1, dtype: 'int32' });
  return run('OneHot', { indices }, { depth: size, onValue: 1, offValue: 0, dtype: 'float32' });
}

/** Rᵀ · dy · C of each box, added up for each image. */
function imageGradient(
  run: Run,
  dy: TensorInfo,
  { lines, columns }: Weights,
  image: TensorInfo,
  boxInd: TensorInfo,
): TensorInfo {
  const [images = 0] = image.shape;
  const spread = sandwiched(run, lines, dy, columns, true);
  return reshape(run, summedRows(run, spread, boxInd, images), image.shape);
}

/** L · maps · Cᵀ for each box, or Lᵀ · maps · C: `maps` is [boxes, height, width, channels]. */
function sandwiched(
  run: Run,
  lines: TensorInfo,
  maps: TensorInfo,
  columns: TensorInfo,
  transposed: boolean,
): TensorInfo {
  const [count = 0, height = 0, width = 0, channels = 0] = maps.shape;
  const outHeight = lines.shape[transposed ? 2 : 1] ?? 0;
  const attrs = { transposeA: transposed, transposeB: false };
  const flat = reshape(run, maps, [count, height, width * channels]);
  const tall = run('BatchMatMul', { a: lines, b: flat }, attrs);
  // One matrix of columns for all lines of a box.
  const each = reshape(run, columns, [count, 1, ...columns.shape.slice(1)]);
  const b = reshape(run, tall, [count, outHeight, width, channels]);
  return run('BatchMatMul', { a: each, b }, attrs);
}

/** @param images one for each box. */
function boxGradient(
  tf: TensorFlow,
  run: Run,
  dy: TensorInfo,
  { lines, columns }: Weights,
  images: TensorInfo,
): TensorInfo {
  const along = (axis: 1 | 2) => {
    const [l, c] = axis === 1 ? [slopes(run, lines), columns] : [lines, slopes(run, columns)];
    const change = product(run, dy, sandwiched(run, l, images, c, false));
    const moved = run('Sum', { x: change }, { axis: [3 - axis, 3], keepDims: false });
    const corners = cornerWeights(tf, run, dy.shape[axis] ?? 0, images.shape[axis] ?? 0);
    return run('BatchMatMul', { a: moved, b: corners }, { transposeA: false, transposeB: false });
  };
  // [boxes, corner, axis]: y1, x1, y2, x2.
  const boxes = run('Pack', [along(1), along(2)], { axis: 2 });
  return reshape(run, boxes, [dy.shape[0] ?? 0, 4]);
}

/** −1 and 1 where a position lies between two pixels: how the weights change with the position. */
function slopes(run: Run, weights: TensorInfo): TensorInfo {
  const met = run('Step', { x: weights }, { alpha: 0 });
  const [count = 0, crop = 0, size = 0] = weights.shape;
  const beside = (before: number) => {
    const padded = run(
      'PadV2',
      { x: met },
      {
        paddings: [
          [0, 0],
          [0, 0],
          [1, 1],
        ],
        constantValue: 0,
      },
    );
    return run('Slice', { x: padded }, { begin: [0, 0, before], size: [count, crop, size] });
  };
  return product(run, met, run('Sub', { a: beside(0), b: beside(2) }));
}

/** [crop, 2]: how far each position moves with the first and the second corner. */
function cornerWeights(tf: TensorFlow, run: Run, crop: number, size: number): TensorInfo {
  const weights = Array.from({ length: crop }, (_, i) => {
    const second = crop > 1 ? i / (crop - 1) : 0.5;
    return [(1 - second) * (size - 1), second * (size - 1)];
  });
  return reshape(run, tf.tensor1d(weights.flat(), 'float32'), [crop, 2]);
}
