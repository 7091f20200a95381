// What happens once a step to all parameters, and what draws random numbers.

import { paddedParameters, SLICE_UNIT } from '#src/collective/parameterSlices.js';
import type { Address } from '#src/kernels/address.js';
import { Purpose } from '#src/kernels/stream.js';
import type { Model } from '#src/model/model.js';
import { averageWeight } from '#src/optimizer/averaging.js';
import { optimizerOf, stateNames } from '#src/optimizer/registry.js';
import { BINARIZE_MODE } from '#src/worker/shardInput.js';
import { add, multiplyAdd, roundoff, sampleFloats, underflow, words } from '../test/kernels/float32.js';
import { rowWords } from '../test/kernels/philoxReference.js';
import {
  ADAM_DEFAULTS,
  type AdamState,
  type AdamUpdate,
  adamNumbers,
  adamUpdate,
  scalarAdam,
} from '../test/kernels/scalarAdam.js';
import { scalarAverage } from '../test/kernels/scalarAverage.js';
import { squaresOfUnits } from '../test/kernels/scalarNorms.js';
import {
  type OptimizerState,
  type ScalarOptimizer,
  scalarOptimizers,
} from '../test/kernels/scalarOptimizers.js';
import { assertSame, assertWithin, type KernelCase, once, UNWRITTEN } from './kernelCase.js';
import type { Workbench } from './workbench.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const SHARDS = 8;
const KEY = [0x1bd11bda, 0xa9fc1a22] as const;

/** A model's update, and the examples and the noise of a shard. */
export interface UpdateLoad {
  readonly model: Model;
  readonly binarize: keyof typeof BINARIZE_MODE;
  readonly shardSize: number;
}

export function updateCases(load: UpdateLoad): KernelCase[] {
  const gradients = once(() => gradientSlots(paddedParameters(load.model.parameters.size)));
  return [
    treeReduceCase(load.model, gradients),
    reduceAdamCase(load.model, gradients),
    adamCase(load.model),
    ...scalarOptimizers
      .filter(({ choice }) => choice.name !== 'adam')
      .flatMap((optimizer) => [
        applySumCase(load.model, optimizer, gradients),
        applyCase(load.model, optimizer),
      ]),
    averageCase(load.model),
    squaredNormsCase(load.model),
    binarizeCase(load),
    normalCase(load),
    uniformCase(load.model),
    bitsCase(load),
  ];
}

function treeSums(slots: readonly Float32Array[], count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => tree(slots, i));
}

/**
 * The sum of element i: neighbours are added, then neighbouring sums, and so on. The number of slots is a
 * power of two.
 */
function tree(slots: readonly Float32Array[], i: number, from = 0, to = slots.length): number {
  if (to - from === 1) return slots[from]![i]!;
  const middle = (from + to) / 2;
  return add(tree(slots, i, from, middle), tree(slots, i, middle, to));
}

/** Different ones, cut from one stream. */
function gradientSlots(count: number): Float32Array[] {
  const values = sampleFloats(20, count + SHARDS);
  return Array.from({ length: SHARDS }, (_, shard) => values.subarray(shard, shard + count));
}

/** Slots as the run's memory has them: returns the first one's address and the distance. */
class Slots {
  readonly address: Address;
  readonly pitch: number;
  readonly #bench: Workbench;
  readonly #values: readonly Float32Array[];

  constructor(bench: Workbench, values: readonly Float32Array[]) {
    this.#bench = bench;
    this.#values = values;
    this.pitch = values[0]!.length * FLOAT;
    this.address = bench.arena.floats(values.length * values[0]!.length);
  }

  fill(): void {
    this.#values.forEach((values, shard) => {
      this.#bench.floats(this.address + shard * this.pitch, values.length).set(values);
    });
  }

  /** Sums in place would grow without end. */
  zero(): void {
    this.#bench.floats(this.address, (this.#values.length * this.pitch) / FLOAT).fill(0);
  }
}

function treeReduceCase(model: Model, gradients: () => Float32Array[]): KernelCase {
  const count = paddedParameters(model.parameters.size);
  const expected = once(() => treeSums(gradients(), count));
  return {
    kernel: 'treeReduce',
    model: model.name,
    shape: `${SHARDS}×[${count}]`,
    work: { unit: 'bytes', amount: (SHARDS + 1) * count * FLOAT },
    prepare: (bench) => {
      const slots = new Slots(bench, gradients());
      return {
        reset: () => slots.fill(),
        run: () => bench.kernels.treeReduce(slots.address, slots.pitch, SHARDS, count),
        check: () => assertSame(bench.floats(slots.address, count), expected(), `treeReduce ${model.name}`),
        steady: () => slots.zero(),
      };
    },
  };
}

function adamState(count: number): AdamState {
  return {
    parameters: sampleFloats(30, count),
    m: sampleFloats(31, count),
    v: sampleFloats(32, count).map(Math.abs),
  };
}

/** Step 3 of a batch of 128. */
function thirdUpdate(): AdamUpdate {
  return adamUpdate({ ...ADAM_DEFAULTS, learningRate: 1e-3 }, 3, 1 / 128);
}

function reduceAdamCase(model: Model, gradients: () => Float32Array[]): KernelCase {
  const count = paddedParameters(model.parameters.size);
  const before = once(() => adamState(count));
  const update = thirdUpdate();
  const expected = once(() => scalarAdam(before(), treeSums(gradients(), count), update));
  return {
    kernel: 'reduceAdam',
    model: model.name,
    shape: `${SHARDS}×[${count}]`,
    work: { unit: 'bytes', amount: (SHARDS + 6) * count * FLOAT },
    prepare: (bench) => {
      const slots = new Slots(bench, gradients());
      const state = before();
      const [parameters, m, v] = [bench.place(state.parameters), bench.place(state.m), bench.place(state.v)];
      return {
        reset: () => {
          slots.fill();
          bench.floats(parameters, count).set(state.parameters);
          bench.floats(m, count).set(state.m);
          bench.floats(v, count).set(state.v);
        },
        run: () =>
          bench.kernels.reduceAdam({
            parameters,
            m,
            v,
            slots: slots.address,
            pitch: slots.pitch,
            shards: SHARDS,
            count,
            ...adamNumbers(update),
          }),
        check: () => {
          const what = `reduceAdam ${model.name}`;
          assertSame(bench.floats(m, count), expected().m, `${what} m`);
          assertSame(bench.floats(v, count), expected().v, `${what} v`);
          assertSame(bench.floats(parameters, count), expected().parameters, `${what} parameters`);
        },
      };
    },
  };
}

function adamCase(model: Model): KernelCase {
  const count = model.parameters.size;
  const gradient = once(() => sampleFloats(40, count));
  const before = once(() => adamState(count));
  const update = thirdUpdate();
  const expected = once(() => scalarAdam(before(), gradient(), update));
  return {
    kernel: 'adam',
    model: model.name,
    shape: `[${count}]`,
    work: { unit: 'bytes', amount: 7 * count * FLOAT },
    prepare: (bench) => {
      const state = before();
      const [parameters, m, v] = [bench.place(state.parameters), bench.place(state.m), bench.place(state.v)];
      const source = bench.place(gradient());
      return {
        reset: () => {
          bench.floats(parameters, count).set(state.parameters);
          bench.floats(m, count).set(state.m);
          bench.floats(v, count).set(state.v);
        },
        run: () => bench.kernels.adam({ parameters, m, v, gradient: source, count, ...adamNumbers(update) }),
        check: () => {
          const what = `adam ${model.name}`;
          assertSame(bench.floats(m, count), expected().m, `${what} m`);
          assertSame(bench.floats(v, count), expected().v, `${what} v`);
          assertSame(bench.floats(parameters, count), expected().parameters, `${what} parameters`);
        },
      };
    },
  };
}

const THIRD_UPDATE = { t: 3, learningRate: 1e-3, scale: 1 / 128 } as const;

function optimizerState(count: number, optimizer: ScalarOptimizer): OptimizerState {
  return {
    parameters: sampleFloats(30, count),
    state: stateNames(optimizer.choice).map((_, i) => sampleFloats(31 + i, count).map(Math.abs)),
  };
}

/** Parameters and state in the memory, the update set to THIRD_UPDATE, and what both are to be afterwards. */
function prepareUpdate(
  bench: Workbench,
  { choice }: ScalarOptimizer,
  before: OptimizerState,
  expected: () => OptimizerState,
  what: string,
) {
  const count = before.parameters.length;
  const parameters = bench.place(before.parameters);
  const state = before.state.map((tensor) => bench.place(tensor));
  const update = optimizerOf(choice).create(bench.kernels, choice.values);
  update.begin(THIRD_UPDATE.t, THIRD_UPDATE.learningRate, THIRD_UPDATE.scale);
  return {
    slice: { parameters, state },
    update,
    reset: () => {
      bench.floats(parameters, count).set(before.parameters);
      before.state.forEach((tensor, i) => {
        bench.floats(state[i]!, count).set(tensor);
      });
    },
    check: () => {
      expected().state.forEach((tensor, i) => {
        assertSame(bench.floats(state[i]!, count), tensor, `${what} state ${i}`);
      });
      assertSame(bench.floats(parameters, count), expected().parameters, `${what} parameters`);
    },
  };
}

function applySumCase(model: Model, optimizer: ScalarOptimizer, gradients: () => Float32Array[]): KernelCase {
  const count = paddedParameters(model.parameters.size);
  const before = once(() => optimizerState(count, optimizer));
  const expected = once(() => optimizer.update(before(), treeSums(gradients(), count), THIRD_UPDATE));
  const shape = `${optimizer.title} ${SHARDS}×[${count}]`;
  const tensors = 2 * (1 + stateNames(optimizer.choice).length);
  return {
    kernel: optimizer.kernels.applySum,
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: (SHARDS + tensors) * count * FLOAT },
    prepare: (bench) => {
      const slots = new Slots(bench, gradients());
      const what = `applySum ${shape}`;
      const { slice, update, reset, check } = prepareUpdate(bench, optimizer, before(), expected, what);
      return {
        reset: () => {
          slots.fill();
          reset();
        },
        run: () => update.applySum(slice, 0, slots.address, slots.pitch, SHARDS, count),
        check,
      };
    },
  };
}

function applyCase(model: Model, optimizer: ScalarOptimizer): KernelCase {
  const count = model.parameters.size;
  const gradient = once(() => sampleFloats(40, count));
  const before = once(() => optimizerState(count, optimizer));
  const expected = once(() => optimizer.update(before(), gradient(), THIRD_UPDATE));
  const shape = `${optimizer.title} [${count}]`;
  const tensors = 2 * (1 + stateNames(optimizer.choice).length);
  return {
    kernel: optimizer.kernels.apply,
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: (1 + tensors) * count * FLOAT },
    prepare: (bench) => {
      const source = bench.place(gradient());
      const what = `apply ${shape}`;
      const { slice, update, reset, check } = prepareUpdate(bench, optimizer, before(), expected, what);
      return { reset, run: () => update.apply(slice, 0, source, count), check };
    },
  };
}

/** The average of the parameters, after a hundred updates with decay 0.99. */
function averageCase(model: Model): KernelCase {
  const count = model.parameters.size;
  const weight = averageWeight(0.99, 100);
  const [before, values] = [once(() => sampleFloats(30, count)), once(() => sampleFloats(31, count))];
  const expected = once(() => scalarAverage(before(), values(), weight));
  return {
    kernel: 'averageFloats',
    model: model.name,
    shape: `[${count}]`,
    work: { unit: 'bytes', amount: 3 * count * FLOAT },
    prepare: (bench) => {
      const average = bench.place(before());
      const source = bench.place(values());
      return {
        reset: () => bench.floats(average, count).set(before()),
        run: () => bench.kernels.averageFloats(average, source, count, weight),
        check: () => assertSame(bench.floats(average, count), expected(), `averageFloats ${model.name}`),
      };
    },
  };
}

/** The squared norm of each unit of a gradient. */
function squaredNormsCase(model: Model): KernelCase {
  const count = model.parameters.size;
  const gradient = () => sampleFloats(6, count);
  const expected = once(() => squaresOfUnits(gradient(), SLICE_UNIT));
  return {
    kernel: 'squaredNorms',
    model: model.name,
    shape: `[${count}]`,
    work: { unit: 'bytes', amount: count * FLOAT },
    prepare: (bench) => {
      const x = bench.place(gradient());
      const norms = bench.arena.doubles(expected().length);
      const written = () => bench.doubles(norms, expected().length);
      return {
        reset: () => written().fill(UNWRITTEN),
        run: () => bench.kernels.squaredNorms(x, count, SLICE_UNIT, norms),
        check: () => assertSame(written(), expected(), `squaredNorms ${model.name}`),
      };
    },
  };
}

/**
 * As many images as the data set of MNIST's size would spread a shard over is not needed: the pixels of a
 * shard.
 */
function binarizeCase({ model, binarize, shardSize }: UpdateLoad): KernelCase {
  const { dimensions } = model;
  const mode = BINARIZE_MODE[binarize];
  const purpose = Purpose.trainingBinarization;
  const greys = () => {
    const next = words(50);
    return Uint8Array.from({ length: shardSize * dimensions }, () => next() & 0xff);
  };
  // Backwards, so that a kernel that ignored the order would be found out.
  const order = Array.from({ length: shardSize }, (_, i) => shardSize - 1 - i);
  const expected = once(() => {
    const pixels = greys();
    const rows = order.map((image) => {
      const bits = rowWords(dimensions, KEY, { position: image, step: 1, purpose });
      return Array.from(pixels.subarray(image * dimensions, (image + 1) * dimensions), (grey, i) => {
        if (binarize === 'none') return Math.fround(grey / 255);
        if (binarize === 'threshold') return grey > 127.5 ? 1 : 0;
        return Math.min(bits[i]!, 0xfffffffe) / 0xffffffff < grey / 255 ? 1 : 0;
      });
    });
    return Float32Array.from(rows.flat());
  });
  const shape = `${binarize} ${shardSize}×[${dimensions}]`;
  return {
    kernel: 'binarize',
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: shardSize * dimensions * (1 + FLOAT) },
    prepare: (bench) => {
      const count = shardSize * dimensions;
      const pixels = bench.arena.reserve(count);
      bench.bytes(pixels, count).set(greys());
      const table = bench.arena.table(order);
      bench.arena.materialize(bench.memory.buffer);
      const out = bench.arena.floats(count);
      const scratch = bench.arena.reserve(64);
      return {
        reset: () => bench.floats(out, count).fill(UNWRITTEN),
        run: () =>
          bench.kernels.binarize({
            mode,
            pixels,
            places: table,
            order: table,
            rows: shardSize,
            dimensions,
            out,
            key0: KEY[0],
            key1: KEY[1],
            step: 1,
            purpose,
            scratch,
          }),
        check: () => assertSame(bench.floats(out, count), expected(), `binarize ${shape}`),
      };
    },
  };
}

/** √(−2 ln u) (cos, sin)(2π v) in float64, with the bound that test/kernels/normal.test.ts derives. */
function boxMuller(bits: Uint32Array, i: number): { value: number; bound: number } {
  const cosine = i & ~4;
  const u = Math.fround(Math.fround(bits[cosine]!) + 0.5) * 2 ** -32;
  const angle = 2 * Math.PI * ((bits[cosine + 4]! >>> 8) * 2 ** -24);
  const radius = Math.sqrt(-2 * Math.log(u));
  const value = radius * (i === cosine ? Math.cos(angle) : Math.sin(angle));
  const unitError = (2 * Math.PI) / 4 + 4;
  return { value, bound: roundoff * (Math.abs(value) * 6 + radius * unitError) * 1.001 + underflow };
}

function normalCase({ model, shardSize }: UpdateLoad): KernelCase {
  const { latent } = model;
  const count = shardSize * latent;
  const shape = `${shardSize}×[${latent}]`;
  const purpose = Purpose.trainingNoise;
  const expected = once(() => {
    const value = new Float64Array(count);
    const bound = new Float64Array(count);
    for (let row = 0; row < shardSize; row++) {
      const bits = rowWords(Math.ceil(latent / 16) * 16, KEY, { position: row, step: 2, purpose });
      for (let i = 0; i < latent; i++) {
        const number = boxMuller(bits, i);
        value[row * latent + i] = number.value;
        bound[row * latent + i] = number.bound;
      }
    }
    return { value, bound };
  });
  return {
    kernel: 'randomNormal',
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: count * FLOAT },
    prepare: (bench) => {
      const out = bench.arena.floats(count);
      const scratch = bench.arena.reserve(64);
      return {
        reset: () => bench.floats(out, count).fill(UNWRITTEN),
        run: () =>
          bench.kernels.randomNormal({
            out,
            rows: shardSize,
            count: latent,
            key0: KEY[0],
            key1: KEY[1],
            position: 0,
            step: 2,
            purpose,
            scratch,
          }),
        check: () => assertWithin(bench.floats(out, count), expected(), `randomNormal ${shape}`),
      };
    },
  };
}

/** The start of the model's largest tensor. */
function uniformCase(model: Model): KernelCase {
  const count = Math.max(...model.parameters.entries.map(({ size }) => size));
  const purpose = Purpose.initialization;
  const [low, high] = [-0.25, 0.25];
  const expected = once(() =>
    Float32Array.from(rowWords(count, KEY, { position: 3, step: 0, purpose }), (bits) =>
      multiplyAdd(high - low, (bits >>> 8) * 2 ** -24, low),
    ).subarray(0, count),
  );
  return {
    kernel: 'randomUniform',
    model: model.name,
    shape: `[${count}]`,
    work: { unit: 'bytes', amount: count * FLOAT },
    prepare: (bench) => {
      const out = bench.arena.floats(count);
      const scratch = bench.arena.reserve(64);
      return {
        reset: () => bench.floats(out, count).fill(UNWRITTEN),
        run: () =>
          bench.kernels.randomUniform({
            out,
            count,
            low,
            high,
            key0: KEY[0],
            key1: KEY[1],
            position: 3,
            step: 0,
            purpose,
            scratch,
          }),
        check: () => assertSame(bench.floats(out, count), expected(), `randomUniform [${count}]`),
      };
    },
  };
}

/** The words behind the order of 60,000 examples, or of a thousand a shard's example where that is less. */
function bitsCase({ model, shardSize }: UpdateLoad): KernelCase {
  const count = Math.min(60_000, shardSize * 1000);
  const purpose = Purpose.epochOrder;
  const expected = once(() => rowWords(count, KEY, { position: 0, step: 4, purpose }));
  return {
    kernel: 'randomBits',
    model: model.name,
    shape: `[${count}]`,
    work: { unit: 'bytes', amount: count * Uint32Array.BYTES_PER_ELEMENT },
    prepare: (bench) => {
      const out = bench.arena.reserve(Math.ceil(count / 16) * 64);
      return {
        reset: () => bench.words(out, count).fill(0),
        run: () =>
          bench.kernels.randomBits({ out, count, key0: KEY[0], key1: KEY[1], position: 0, step: 4, purpose }),
        check: () =>
          assertSame(bench.words(out, count), expected().subarray(0, count), `randomBits [${count}]`),
      };
    },
  };
}
