import type { VolumeInfo, WindowInfo } from './tensorflow.js';

/**
 * The table that the kernels of windows read (src/kernels/assembly/window.ts).
 * @param out depth, height and width of the output.
 */
export function volumeGeometry(info: VolumeInfo, out: readonly [number, number, number]): number[] {
  const { padInfo } = info;
  return [
    info.batchSize,
    ...[info.inDepth, info.inHeight, info.inWidth],
    ...out,
    ...[info.filterDepth, info.filterHeight, info.filterWidth],
    ...[info.strideDepth, info.strideHeight, info.strideWidth],
    ...[info.dilationDepth, info.dilationHeight, info.dilationWidth],
    ...[padInfo.front, padInfo.top, padInfo.left],
    ...[info.inChannels, info.outChannels],
  ];
}

/** The same of images: volumes of depth 1. */
export function imageGeometry(info: WindowInfo, out: readonly [number, number]): number[] {
  const flat = { inDepth: 1, outDepth: 1, strideDepth: 1, dilationDepth: 1, filterDepth: 1 };
  return volumeGeometry({ ...info, ...flat, padInfo: { ...info.padInfo, front: 0 } }, [1, ...out]);
}
