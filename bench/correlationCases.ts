// The passes of layers with weights: forward, both gradients, and what prepares them. References are the
// plain loops of test/reference/correlation.ts in float64.

import type { Address } from '#src/kernels/address.js';
import { layerMultiplyAdds } from '#src/model/layers/kinds.js';
import { sizeOf } from '#src/model/layout.js';
import type { CorrelationLayer } from '#src/model/model.js';
import { addFilterGradient } from '#src/products/filter.js';
import {
  bigBorder,
  type GatherPass,
  gather,
  pack,
  packingUnits,
  planDown,
  planUp,
  smallBorder,
} from '#src/products/gather.js';
import { Tensor } from '#src/products/tensor.js';
import { gamma, sampleFloats, underflow } from '../test/kernels/float32.js';
import { correlateToBig, correlateToSmall, correlateToWeights } from '../test/reference/correlation.js';
import { assertWithin, type KernelCase, once, type PreparedCase, UNWRITTEN } from './kernelCase.js';
import type { Workbench } from './workbench.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** A layer in its model. */
export interface Place {
  readonly model: string;
  /** e.g. `decoder/conv2d_transpose_1`. */
  readonly name: string;
  readonly layer: CorrelationLayer;
  /** Whether a ReLU follows, which the epilogue computes. */
  readonly relu: boolean;
  readonly images: number;
  /** Whether the gradient of the layer's input is ever computed. */
  readonly inputGradient: boolean;
}

/** A pass from one map to the other. */
export interface Pass {
  readonly inputs: () => GatherInputs;
  readonly place: Place;
  readonly direction: 'down' | 'up';
  readonly word: 'forward' | 'input gradient';
}

interface GatherInputs {
  readonly source: Float32Array;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface Bounded {
  readonly value: Float64Array;
  readonly bound: Float64Array;
}

export function correlationCases(place: Place): KernelCase[] {
  const passes = passesOf(place);
  const gathers = passes.map((pass) => ({ pass, reference: once(() => gatherReference(pass)) }));
  return [
    ...gathers.map(({ pass, reference }) => gatherCase(pass, reference)),
    filterCase(place),
    biasCase(place),
    ...gathers.map(({ pass, reference }) => packCase(pass, reference)),
  ];
}

export function passesOf(place: Place): Pass[] {
  const transposed = place.layer.type === 'conv2dTranspose';
  const forward = { place, direction: transposed ? 'up' : 'down', word: 'forward' } as const;
  const backward = { place, direction: transposed ? 'down' : 'up', word: 'input gradient' } as const;
  const passes = place.inputGradient ? [forward, backward] : [forward];
  return passes.map((pass) => ({ ...pass, inputs: once(() => gatherInputs(pass)) }));
}

function gatherCase(pass: Pass, reference: () => Bounded): KernelCase {
  const { place } = pass;
  const [, columns] = channels(pass);
  return {
    kernel: columns <= 4 ? 'gemmDot4' : 'gemm',
    model: place.model,
    shape: describe(place, pass.word),
    work: { unit: 'operations', amount: 2 * layerMultiplyAdds(place.layer) * place.images },
    prepare: (bench) => {
      const prepared = new PreparedGather(bench, pass, reference);
      return {
        reset: () => {
          prepared.reset();
          prepared.pack();
        },
        run: () => prepared.gather(),
        check: () => prepared.check(),
      };
    },
  };
}

/** Packed weights are right where a GEMM with them is. */
function packCase(pass: Pass, reference: () => Bounded): KernelCase {
  const { place } = pass;
  const [, columns] = channels(pass);
  return {
    kernel: columns <= 4 ? 'packColumns' : 'packPanels',
    model: place.model,
    shape: describe({ ...place, images: 0 }, pass.word),
    work: { unit: 'bytes', amount: 2 * place.layer.weights.size * FLOAT },
    prepare: (bench) => {
      const prepared = new PreparedGather(bench, pass, reference);
      return {
        reset: () => prepared.reset(),
        run: () => prepared.pack(),
        check: () => {
          prepared.gather();
          prepared.check();
        },
      };
    },
  };
}

/** [source channels, target channels]. */
function channels({ direction, place: { layer } }: Omit<Pass, 'inputs'>): [number, number] {
  const [big, small] = [layer.big[2], layer.small[2]];
  return direction === 'down' ? [big, small] : [small, big];
}

class PreparedGather {
  readonly #bench: Workbench;
  readonly #pass: Pass;
  readonly #reference: () => Bounded;
  readonly #source: Tensor;
  readonly #target: Tensor;
  readonly #weights: Address;
  readonly #bias: Address;
  readonly #passes: readonly GatherPass[];

  constructor(bench: Workbench, pass: Pass, reference: () => Bounded) {
    this.#bench = bench;
    this.#pass = pass;
    this.#reference = reference;
    const { layer, images } = pass.place;
    const { arena } = bench;
    const { big, small } = maps(layer);
    big.allocate(arena, images);
    small.allocate(arena, images);
    [this.#source, this.#target] = pass.direction === 'down' ? [big, small] : [small, big];
    this.#weights = arena.floats(layer.weights.size);
    this.#bias = arena.floats(Math.ceil(this.#target.channels / 16) * 16);
    const plan = {
      arena,
      panelWidth: bench.panelWidth,
      packedArena: arena,
      weights: this.#weights,
      layer,
      big,
      small,
      images,
    };
    this.#passes = pass.direction === 'down' ? [planDown(plan)] : planUp(plan);
    arena.materialize(bench.memory.buffer);
  }

  reset(): void {
    const { layer, images } = this.#pass.place;
    const { source, weights, bias } = this.#pass.inputs();
    writeMap(this.#bench, this.#source, images, source);
    writeMap(this.#bench, this.#target, images, new Float32Array(images * this.#target.size).fill(UNWRITTEN));
    this.#bench.floats(this.#weights, layer.weights.size).set(weights);
    this.#bench.floats(this.#bias, bias.length).set(bias);
    for (const { packing, columns, depth } of this.#passes) {
      const width = Math.ceil(columns / packing.panelWidth) * packing.panelWidth;
      this.#bench.floats(packing.packed, width * depth).fill(0);
    }
  }

  pack(): void {
    for (const pass of this.#passes) pack(this.#bench.kernels, pass, 0, packingUnits(pass));
  }

  gather(): void {
    const { images } = this.#pass.place;
    const relu = usesRelu(this.#pass);
    for (const pass of this.#passes) {
      const [from, to] = [this.#source.activation, this.#target.activation];
      gather(this.#bench.microKernels, pass, from, to, images, this.#bias, relu);
    }
  }

  check(): void {
    const { place, word } = this.#pass;
    assertWithin(readMap(this.#bench, this.#target, place.images), this.#reference(), describe(place, word));
  }
}

export function usesRelu({ word, place }: Pass): boolean {
  return word === 'forward' && place.relu;
}

/**
 * The inputs of a gather pass. The map that is read is [images, height, width, channels]; the input gradient
 * adds no bias.
 */
function gatherInputs(pass: Omit<Pass, 'inputs'>): GatherInputs {
  const { layer, images } = pass.place;
  const source = pass.direction === 'down' ? layer.big : layer.small;
  const [, columns] = channels(pass);
  return {
    source: sampleFloats(1, images * sizeOf(source)),
    weights: sampleFloats(2, layer.weights.size),
    bias: pass.word === 'forward' ? sampleFloats(3, columns) : new Float32Array(columns),
  };
}

/** γ of the roundings of one output times what its terms' magnitudes sum to. */
export function gatherReference(pass: Pass): Bounded {
  const { layer, images } = pass.place;
  const { source, weights, bias } = pass.inputs();
  const target = pass.direction === 'down' ? layer.small : layer.big;
  const count = images * sizeOf(target);
  const correlate = pass.direction === 'down' ? correlateToSmall : correlateToBig;
  const apply = (modify: (x: number) => number) => {
    const sums = Float64Array.from({ length: count }, (_, i) => modify(bias[i % bias.length]!));
    correlate(
      atOrigin(layer),
      images,
      Float64Array.from(weights, modify),
      Float64Array.from(source, modify),
      sums,
    );
    return sums;
  };
  const value = apply((x) => x);
  const magnitude = apply(Math.abs);
  const depth = layer.kernel[0] * layer.kernel[1] * Math.max(layer.big[2], layer.small[2]);
  return {
    value: usesRelu(pass) ? value.map((x) => Math.max(x, 0)) : value,
    bound: magnitude.map((sum) => gamma(depth + 4) * sum + depth * underflow),
  };
}

/** The gradient of the weights: Σ over pixels and images of big ⊗ small. */
function filterCase(place: Place): KernelCase {
  const { layer, images } = place;
  const inputs = once(() => filterInputs(place));
  const reference = once(() => filterReference(place, inputs()));
  return {
    kernel: 'filterGradient',
    model: place.model,
    shape: describe(place, 'filter gradient'),
    work: { unit: 'operations', amount: 2 * layerMultiplyAdds(layer) * images },
    prepare: (bench) => prepareFilter(bench, place, inputs, reference),
  };
}

export interface FilterInputs {
  readonly big: Float32Array;
  readonly small: Float32Array;
}

export function filterInputs({ layer, images }: Place): FilterInputs {
  return {
    big: sampleFloats(4, images * sizeOf(layer.big)),
    small: sampleFloats(5, images * sizeOf(layer.small)),
  };
}

/** The bound holds for any order of the sum. */
export function filterReference({ layer, images }: Place, { big, small }: FilterInputs): Bounded {
  const apply = (modify: (x: number) => number) => {
    const gradient = new Float64Array(layer.weights.size);
    const [b, s] = [Float64Array.from(big, modify), Float64Array.from(small, modify)];
    correlateToWeights(atOrigin(layer), images, b, s, gradient);
    return gradient;
  };
  const terms = images * layer.small[0] * layer.small[1];
  return {
    value: apply((x) => x),
    bound: apply(Math.abs).map((sum) => gamma(terms + 2) * sum + terms * underflow),
  };
}

function prepareFilter(
  bench: Workbench,
  place: Place,
  inputs: () => FilterInputs,
  reference: () => Bounded,
): PreparedCase {
  const { layer, images } = place;
  const { arena } = bench;
  const tensors = maps(layer);
  tensors.big.allocate(arena, images);
  tensors.small.allocate(arena, images);
  const gradient = arena.floats(layer.weights.size);
  const zeros = arena.floats(16);
  const addresses = { big: tensors.big.activation, small: tensors.small.activation, gradient };
  return {
    reset: () => {
      const { big, small } = inputs();
      writeMap(bench, tensors.big, images, big);
      writeMap(bench, tensors.small, images, small);
      bench.floats(gradient, layer.weights.size).fill(UNWRITTEN);
    },
    run: () => addFilterGradient(bench.microKernels, layer, tensors, addresses, images, false, zeros),
    check: () => {
      const what = describe(place, 'filter gradient');
      assertWithin(bench.floats(gradient, layer.weights.size), reference(), what);
    },
  };
}

/** The gradient of the bias: sums over the pixels of the output's map. */
function biasCase(place: Place): KernelCase {
  const { layer, images } = place;
  const transposed = layer.type === 'conv2dTranspose';
  const map = transposed ? layer.big : layer.small;
  const count = map[2];
  const inputs = once(() => sampleFloats(6, images * sizeOf(map)));
  const reference = once((): Bounded => {
    const value = new Float64Array(count);
    const magnitude = new Float64Array(count);
    inputs().forEach((x, i) => {
      value[i % count]! += x;
      magnitude[i % count]! += Math.abs(x);
    });
    return { value, bound: magnitude.map((sum) => gamma(images * map[0] * map[1]) * sum) };
  });
  const what = describe(place, 'bias gradient');
  return {
    kernel: 'columnSums',
    model: place.model,
    shape: what,
    work: { unit: 'bytes', amount: images * sizeOf(map) * FLOAT },
    prepare: (bench) => {
      const { big, small } = maps(layer);
      const output = transposed ? big : small;
      output.allocate(bench.arena, images);
      const gradient = bench.arena.floats(count);
      const pixels = output.span(images) / output.channels;
      return {
        reset: () => {
          writeMap(bench, output, images, inputs());
          bench.floats(gradient, count).fill(UNWRITTEN);
        },
        run: () => bench.kernels.columnSums(output.activation, pixels, count, gradient, 0),
        check: () => assertWithin(bench.floats(gradient, count), reference(), what),
      };
    },
  };
}

function maps(layer: CorrelationLayer): { big: Tensor; small: Tensor } {
  const big = new Tensor(layer.big);
  const small = new Tensor(layer.small);
  big.require(bigBorder(layer));
  small.require(smallBorder(layer));
  return { big, small };
}

/** Its weights at the beginning of the buffer. */
function atOrigin(layer: CorrelationLayer): CorrelationLayer {
  return { ...layer, weights: { ...layer.weights, offset: 0 } };
}

/** [images, height, width, channels] into a tensor with borders. */
function writeMap(bench: Workbench, tensor: Tensor, images: number, values: Float32Array): void {
  const row = tensor.width * tensor.channels;
  for (let image = 0, from = 0; image < images; image++) {
    for (let y = 0; y < tensor.height; y++, from += row) {
      const address = tensor.activation + tensor.offset(image, y, 0);
      bench.floats(address, row).set(values.subarray(from, from + row));
    }
  }
}

function readMap(bench: Workbench, tensor: Tensor, images: number): Float32Array {
  const row = tensor.width * tensor.channels;
  const values = new Float32Array(images * tensor.size);
  for (let image = 0, to = 0; image < images; image++) {
    for (let y = 0; y < tensor.height; y++, to += row) {
      values.set(bench.floats(tensor.activation + tensor.offset(image, y, 0), row), to);
    }
  }
  return values;
}

export function describe({ name, layer, images }: Place, word: string): string {
  const extents = layer.type === 'dense' ? `${layer.big[2]}→${layer.small[2]}` : convolutionExtents(layer);
  return `${name} ${word} ${images > 0 ? `${images}×` : ''}${extents}`;
}

function convolutionExtents({ type, big, small }: CorrelationLayer): string {
  const [from, to] = type === 'conv2dTranspose' ? [small, big] : [big, small];
  return `[${from.join(',')}]→[${to.join(',')}]`;
}
