import { NONE } from '../kernels/address.js';
import { filled, product, runnerOf } from './composition.js';
import { sizeOf } from './host.js';
import type { TensorInfo } from './tensorflow.js';
import type { KernelCall, TrainingKernel } from './trainingKernel.js';

export const BATCH_NORM: TrainingKernel = {
  kernelName: 'FusedBatchNorm',
  run(call) {
    const { host, inputs, attrs } = call;
    const { x, mean, variance, offset, scale } = inputs;
    const channels = x?.shape.at(-1);
    if (x?.dtype !== 'float32' || channels === undefined || mean === undefined || variance === undefined) {
      return undefined;
    }
    const statistics = [mean, variance, offset, scale].filter((each) => each !== undefined && each !== null);
    if (statistics.some(({ dtype }) => dtype !== 'float32')) return undefined;
    const forChannels = ({ shape }: TensorInfo) => shape.length === 1 && shape[0] === channels;
    if (!statistics.every(forChannels)) return broadcastNorm(call, x, mean, variance);
    const out = host.output(x.shape);
    const factor = host.scratch((channels + 4) * Float32Array.BYTES_PER_ELEMENT);
    host.kernels.normalizeRows({
      x: host.address(x),
      rows: channels === 0 ? 0 : sizeOf(x.shape) / channels,
      channels,
      mean: host.address(mean),
      variance: host.address(variance),
      offset: offset ? host.address(offset) : NONE,
      scale: scale ? host.address(scale) : NONE,
      epsilon: (attrs.varianceEpsilon as number | undefined) ?? 0.001,
      factor,
      out: out.address,
    });
    return out.tensor;
  },
};

/**
 * Statistics of other shapes, which stock TensorFlow.js reads as if they were repeated in the order of
 * memory.
 */
function broadcastNorm(
  { tf, inputs: { offset, scale }, attrs }: KernelCall,
  x: TensorInfo,
  mean: TensorInfo,
  variance: TensorInfo,
): TensorInfo {
  const run = runnerOf(tf);
  return tf.engine().tidy(() => {
    const epsilon = filled(run, [], (attrs.varianceEpsilon as number | undefined) ?? 0.001);
    const deviation = run('Rsqrt', { x: run('Add', { a: variance, b: epsilon }) });
    const factor = scale ? product(run, deviation, scale) : deviation;
    const y = product(run, run('Sub', { a: x, b: mean }), factor);
    return offset ? run('Add', { a: y, b: offset }) : y;
  }) as TensorInfo;
}
