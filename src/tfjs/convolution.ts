import type { Correlation } from '../products/gather.js';
import { explicitPadding } from './padding.js';
import type { Attributes, TensorFlow, TensorInfo } from './tensorflow.js';

/** A convolution's geometry: the big map is x, [batch, height, width, channels], the small one y. */
export interface Convolution extends Correlation {
  readonly batch: number;
  readonly dilations: readonly [number, number];
}

/**
 * The geometry that TensorFlow.js gives these shapes and attributes, or undefined where it is not for us:
 * channels first, channels in groups, fractional or negative padding.
 * @param dy where there is one: its extents count, which an unusual dimRoundingMode may have made larger.
 */
export function readConvolution(
  tf: TensorFlow,
  xShape: readonly number[],
  filterShape: readonly number[],
  attrs: Attributes,
  dy?: TensorInfo,
): Convolution | undefined {
  const { dataFormat, strides, dilations, pad, dimRoundingMode } = attrs;
  if ((dataFormat ?? 'NHWC') !== 'NHWC' || xShape.length !== 4 || filterShape.length !== 4) return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    xShape,
    filterShape,
    strides,
    // The layers API passes null.
    dilations ?? 1,
    explicitPadding(pad),
    dimRoundingMode ?? undefined,
  );
  const padding = [info.padInfo.top, info.padInfo.left] as const;
  const [, height, width, channels] = dy?.shape ?? [0, info.outHeight, info.outWidth, info.outChannels];
  const small = [height!, width!, channels!] as const;
  const whole = [...padding, ...small].every((value) => Number.isInteger(value) && value >= 0);
  if (!whole || info.inChannels !== filterShape[2] || channels !== filterShape[3]) return undefined;
  return {
    batch: info.batchSize,
    big: [info.inHeight, info.inWidth, info.inChannels],
    small,
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    padding,
  };
}

/** For keys of plans: everything but the batch. */
export function convolutionKey({ big, small, kernel, strides, dilations, padding }: Convolution): string {
  return [...big, ...small, ...kernel, ...strides, ...dilations, ...padding].join(' ');
}

/** Whether the taps of a window are apart along an axis: a number for both axes, one for each, or none. */
export function isDilated(dilations: unknown): boolean {
  return [dilations ?? 1].flat().some((each) => each !== 1);
}
