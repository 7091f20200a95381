// Activations, residual sums, pools and upsampling: V8 pairs what stands side by side in a loop, or does
// after it has unrolled the loop.
import type { Address } from '../address.js';
import { A, B, OUT, SIZE, type Trial, WINDOWS } from './memory.js';

const SLOPE = 0.3;

/** Bytes from image to image. */
const BIG_STRIDE = 1024;
const SMALL_STRIDE = 512;

export function runLayers(trial: Trial): void {
  runActivations(trial);
  runPools(trial);
}

function runActivations({ kernels, keep }: Trial): void {
  const inPlace = (call: (at: Address) => void) => {
    kernels.copyFloats(A, OUT, SIZE);
    call(OUT);
    keep();
  };
  const toResult = (call: (out: Address) => void) => {
    call(OUT);
    keep();
  };
  toResult((out) => kernels.sigmoidArray(A, out, SIZE));
  inPlace((at) => kernels.tanhForward(at, SIZE));
  inPlace((at) => kernels.tanhBackward(B, at, SIZE));
  inPlace((at) => kernels.reluForward(at, SIZE));
  inPlace((at) => kernels.reluBackward(B, at, SIZE));
  inPlace((at) => kernels.sigmoidForward(at, SIZE));
  inPlace((at) => kernels.sigmoidBackward(B, at, SIZE));
  inPlace((at) => kernels.leakyReluForward(at, SIZE, SLOPE));
  inPlace((at) => kernels.leakyReluBackward(B, at, SIZE, SLOPE));
  toResult((out) => kernels.geluForward(A, out, SIZE));
  toResult((out) => kernels.geluBackward(A, B, out, SIZE));
  toResult((out) => kernels.siluForward(A, out, SIZE));
  toResult((out) => kernels.siluBackward(A, B, out, SIZE));
  toResult((out) => kernels.addFloats(A, B, out, SIZE));
}

function runPools({ kernels, out, keep }: Trial): void {
  const map = (call: () => void) => {
    out.fill(0);
    call();
    keep();
  };
  const sizes = { windows: 3, channels: 35, images: 1, bigStride: BIG_STRIDE, smallStride: SMALL_STRIDE };
  const windows = { table: WINDOWS, ...sizes };
  map(() => kernels.maxPoolForward({ ...windows, big: A, small: OUT }));
  map(() => kernels.maxPoolBackward({ ...windows, big: A, dSmall: B, dBig: OUT }));
  map(() => kernels.averagePoolForward({ ...windows, big: A, small: OUT }));
  map(() => kernels.averagePoolBackward({ ...windows, dSmall: B, dBig: OUT }));
  map(() => kernels.upsampleForward({ ...windows, small: A, big: OUT }));
  map(() => kernels.upsampleBackward({ ...windows, dBig: A, dSmall: OUT }));
}
