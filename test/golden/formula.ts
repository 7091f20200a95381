// Parameters, data and noise of the golden cases, from a formula that make_golden.py repeats to the bit:
// integers are hashed and become numbers with at most 24 significant bits, so that float32 and float64 hold
// them alike.

import type { Model, Shape } from '#src/model/model.js';

/**
 * Streams of the hash beside those of the parameter tensors, which are their places in the layout: 0, 1, 2, …
 */
const dataStream = 1000;
const noiseStream = 1001;

/** The final mix of MurmurHash3 (Appleby, public domain) over a counter in a stream: 32 bits. */
export function hash32(stream: number, counter: number): number {
  let h = Math.imul(counter, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A multiple of 2⁻²⁴ in [−½, ½). */
function centred(stream: number, counter: number): number {
  return ((hash32(stream, counter) >>> 8) - 2 ** 23) / 2 ** 24;
}

/**
 * e of the weights' limit 2⁻ᵉ: the largest power of two within Glorot's limit sqrt(6 / (fanIn + fanOut)),
 * found in integers as the least e with 6·4ᵉ ≥ fanIn + fanOut.
 */
function weightExponent(shape: Shape): number {
  const [fanIn, fanOut] = [shape.at(-2)!, shape.at(-1)!];
  const field = shape.slice(0, -2).reduce((product, extent) => product * extent, 1);
  let exponent = 0;
  while (6 * 4 ** exponent < field * (fanIn + fanOut)) exponent++;
  return exponent;
}

/**
 * All parameters, [P]. Weights are uniform on ±gain·2⁻ᵉ, biases on ±⅛; `gain`, a power of two, widens the
 * weights until logits and log-variances leave the neighbourhood of zero.
 */
export function goldenParameters(model: Model, gain: number): Float64Array {
  const parameters = new Float64Array(model.parameters.size);
  for (const [stream, { shape, offset, size }] of model.parameters.entries.entries()) {
    const limit = shape.length === 1 ? 1 / 8 : gain * 2 ** -weightExponent(shape);
    for (let i = 0; i < size; i++) parameters[offset + i] = 2 * limit * centred(stream, i);
  }
  return parameters;
}

/**
 * Examples [n, height, width, channels], black outside the middle (as MNIST's are): the first and last
 * seventh of the rows and columns. Inside, binary data is white in one pixel of four; grey data is a multiple
 * of 1/256 there.
 */
export function goldenData(model: Model, n: number, grey: boolean): Float64Array {
  const [height, width, channels] = model.input;
  const x = new Float64Array(n * model.dimensions);
  for (let index = 0; index < x.length; index++) {
    const row = Math.floor(index / (channels * width)) % height;
    const column = Math.floor(index / channels) % width;
    if (!inMiddle(row, height) || !inMiddle(column, width)) continue;
    const h = hash32(dataStream, index);
    if (h >>> 30 === 0) x[index] = grey ? ((h >>> 8) & 0xff) / 256 : 1;
  }
  return x;
}

function inMiddle(place: number, extent: number): boolean {
  const border = Math.floor(extent / 7);
  return place >= border && place < extent - border;
}

/**
 * Noise [n, K, d] of mean 0 and variance 1 within ±3: twice the sum of three uniform numbers, less their
 * mean.
 */
export function goldenNoise(model: Model, n: number, samples: number): Float64Array {
  return Float64Array.from({ length: n * samples * model.latent }, (_, index) => {
    let sum = 0;
    for (let part = 0; part < 3; part++) sum += hash32(noiseStream, 3 * index + part) >>> 16;
    return (2 * sum - 3 * 2 ** 16) / 2 ** 16;
  });
}

/**
 * The places of a tensor of `size` floats whose gradient is recorded: all up to 16, else 16 that look random.
 */
export function goldenPlaces(size: number): number[] {
  if (size <= 16) return Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: 16 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) % size);
}
