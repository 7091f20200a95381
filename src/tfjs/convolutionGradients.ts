// Gradients of convolutions that tfjs-core refuses, because of dilations, or does not have.

import type { MendedGradient, Run } from './composition.js';
import { isDilated } from './convolution.js';
import { explicitPadding, paddingOf } from './padding.js';
import type { Attributes, GradientConfig, TensorFlow, TensorInfo } from './tensorflow.js';

/** The gradients of dilated convolutions: undefined for the others, which tfjs-core has. */
export function convolutionGradients(tf: TensorFlow, run: Run): Readonly<Record<string, MendedGradient>> {
  return {
    Conv2D: (dy, saved, attrs) => {
      if (!isDilated(attrs.dilations) || attrs.dataFormat === 'NCHW') return undefined;
      const [x, filter] = saved as [TensorInfo, TensorInfo];
      return {
        x: () => dilatedInputGradient(tf, run, x.shape, dy, filter, attrs),
        filter: () => run('Conv2DBackpropFilter', { x, dy }, { ...attrs, filterShape: filter.shape }),
      };
    },
    Conv3D: (dy, saved, attrs) => {
      if (!isDilated(attrs.dilations)) return undefined;
      const [x, filter] = saved as [TensorInfo, TensorInfo];
      return {
        x: () => run('Conv3DBackpropInputV2', { dy, filter }, { ...attrs, inputShape: x.shape }),
        filter: () => run('Conv3DBackpropFilterV2', { x, dy }, { ...attrs, filterShape: filter.shape }),
      };
    },
  };
}

/** The transpose of a convolution of volumes, which is conv3dTranspose: linear in both operands. */
export function volumeTransposeGradient(run: Run): GradientConfig {
  return {
    kernelName: 'Conv3DBackpropInputV2',
    inputsToSave: ['dy', 'filter'],
    gradFunc: (ddx, saved, { strides, pad, dilations }) => {
      const [dy, filter] = saved as [TensorInfo, TensorInfo];
      const rest = { strides, pad, dataFormat: 'NDHWC', dilations: dilations ?? [1, 1, 1] };
      return {
        dy: () => run('Conv3D', { x: ddx, filter }, rest),
        filter: () => run('Conv3DBackpropFilterV2', { x: ddx, dy }, { ...rest, filterShape: filter.shape }),
      };
    },
  };
}

/**
 * With dilations the strides are 1, and the transpose of the convolution is itself a convolution: of dy with
 * the filter's taps in the reverse order and its channels exchanged.
 */
function dilatedInputGradient(
  tf: TensorFlow,
  run: Run,
  inputShape: readonly number[],
  dy: TensorInfo,
  filter: TensorInfo,
  attrs: Attributes,
): TensorInfo {
  const { dilations, dimRoundingMode } = attrs;
  const pad = explicitPadding(attrs.pad);
  const info = tf.backend_util.computeConv2DInfo(
    inputShape,
    filter.shape,
    1,
    dilations,
    pad,
    dimRoundingMode,
  );
  const rows = transposed(
    info.inHeight,
    info.outHeight,
    (info.filterHeight - 1) * info.dilationHeight,
    info.padInfo.top,
  );
  const columns = transposed(
    info.inWidth,
    info.outWidth,
    (info.filterWidth - 1) * info.dilationWidth,
    info.padInfo.left,
  );
  const [batch = 0, , , channels = 0] = dy.shape;
  const begin = [0, rows.from, columns.from, 0];
  const x = run('Slice', { x: dy }, { begin, size: [batch, rows.kept, columns.kept, channels] });
  const backwards = run('Reverse', { x: run('Reverse', { x: filter }, { dims: [0] }) }, { dims: [1] });
  return run(
    'Conv2D',
    { x, filter: run('Transpose', { x: backwards }, { perm: [0, 1, 3, 2] }) },
    { ...attrs, pad: paddingOf(rows.before, rows.behind, columns.before, columns.behind) },
  );
}

/**
 * Which of the `out` lines of dy the transpose reads, and what it adds before and behind them: taps that
 * reach over `reach` lines, moved over them, meet `size` lines.
 * @param padding of the convolution, before the first line.
 */
function transposed(size: number, out: number, reach: number, padding: number) {
  const before = reach - padding;
  const behind = size + reach - out - before;
  const from = Math.max(0, -before);
  return {
    from,
    kept: out - from - Math.max(0, -behind),
    before: Math.max(0, before),
    behind: Math.max(0, behind),
  };
}
