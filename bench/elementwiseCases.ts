// What happens between the layers: activations, the two ends of the decoder, copies between borders.
// References and their bounds are those of test/reference.

import { planReshape, reshape } from '#src/backends/simd/reshape.js';
import type { Kernels } from '#src/kernels/kernels.js';
import { sizeOf } from '#src/model/layout.js';
import type { ActivationLayer, CorrelationLayer, Layer, Model, Shape } from '#src/model/model.js';
import { bigBorder, smallBorder } from '#src/products/gather.js';
import { type Border, Tensor } from '#src/products/tensor.js';
import { sampleFloats, ulp } from '../test/kernels/float32.js';
import { sigmoid } from '../test/reference/bernoulli.js';
import { boundedBernoulliBackward, boundedLogLikelihood } from '../test/reference/boundedBernoulli.js';
import { boundedEstimatedBackward, boundedLogWeightGradient } from '../test/reference/boundedEstimators.js';
import {
  boundedGaussianBackward,
  boundedKlAnalytic,
  boundedReparameterise,
} from '../test/reference/boundedGaussian.js';
import {
  boundedGaussianLogLikelihood,
  boundedGaussianSlope,
} from '../test/reference/boundedGaussianLikelihood.js';
import { boundedWeightedBackward } from '../test/reference/boundedImportance.js';
import { exact, float32 } from '../test/reference/rounding.js';
import { assertSame, assertWithin, type KernelCase, UNWRITTEN } from './kernelCase.js';
import type { Workbench } from './workbench.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** A model with as many images as the engine takes at a time; K = 1. */
export interface Load {
  readonly model: Model;
  readonly images: number;
}

export function elementwiseCases(load: Load): KernelCase[] {
  const { model, images } = load;
  const activations = (['encoder', 'decoder'] as const).flatMap((side) =>
    model[side]
      .filter((layer) => layer.kind === 'activation')
      .flatMap((layer) => activationCases(model, side, layer, images)),
  );
  return [
    ...activations,
    ...copyCases(load),
    gaussianForwardCase(load),
    gaussianBackwardCase(load),
    bernoulliCase(load),
    gaussianLikelihoodCase(load),
    ...importanceCases(load),
    ...functionCases(load),
  ];
}

/** In float64 of the floats that the kernel reads. */
interface MapCase {
  readonly kernel: 'reluForward' | 'reluBackward' | 'tanhForward' | 'tanhBackward';
  /**
   * The value that the kernel should give for the activation y, and for the gradient dy where there is one.
   */
  readonly expected: (y: number, dy: number) => number;
  /** Units in the last place of the result. */
  readonly ulps: number;
}

const RELU: readonly MapCase[] = [
  { kernel: 'reluForward', expected: (y) => (y < 0 ? 0 : y), ulps: 0 },
  { kernel: 'reluBackward', expected: (y, dy) => (y > 0 ? dy : 0), ulps: 0 },
];

/**
 * tanh is within 4 ulp (test/kernels/elementary.test.ts); 1 − y² and the product round three times, each ½
 * ulp of at most 1.
 */
const TANH: readonly MapCase[] = [
  { kernel: 'tanhForward', expected: (y) => Math.tanh(y), ulps: 4 },
  { kernel: 'tanhBackward', expected: (y, dy) => dy * (1 - y * y), ulps: 3 },
];

function activationCases(model: Model, side: string, layer: ActivationLayer, images: number): KernelCase[] {
  const count = images * sizeOf(layer.output);
  const shape = `${side}/${layer.name} ${images}×[${layer.output.join(',')}]`;
  return (layer.activation === 'relu' ? RELU : TANH).map((map): KernelCase => {
    const backward = map.kernel.endsWith('Backward');
    return {
      kernel: map.kernel,
      model: model.name,
      shape,
      work: { unit: 'bytes', amount: (backward ? 3 : 2) * count * FLOAT },
      prepare: (bench) => {
        // A gradient of tanh's output is no longer one after a run: |y| ≤ 1.
        const yValues = sampleFloats(1, count).map((y) => (backward ? y / 16 : y));
        const y = bench.place(yValues);
        const dyValues = sampleFloats(2, count);
        const dy = bench.place(dyValues);
        const target = backward ? dy : y;
        return {
          reset: () => {
            bench.floats(y, count).set(yValues);
            bench.floats(dy, count).set(dyValues);
          },
          run: backward
            ? () => (bench.kernels[map.kernel] as Kernels['reluBackward'])(y, dy, count)
            : () => (bench.kernels[map.kernel] as Kernels['reluForward'])(y, count),
          check: () => {
            const value = Float64Array.from(yValues, (v, i) => map.expected(v, dyValues[i]!));
            // Scaled where 1 − y² is near 0: its error is one of a number near 1.
            const bound = value.map((v, i) => map.ulps * Math.max(ulp(v), backward ? ulp(dyValues[i]!) : 0));
            assertWithin(bench.floats(target, count), { value, bound }, `${map.kernel} ${shape}`);
          },
          // 1 − y² < 1 would drive dy into subnormal numbers, which are slow.
          steady: () => {
            if (map.kernel === 'tanhBackward') bench.floats(y, count).fill(2 ** -20);
          },
        };
      },
    };
  });
}

/** Copies between a flat vector and a map with a border, and the copy of the examples into the encoder. */
function copyCases({ model, images }: Load): KernelCase[] {
  const copies: KernelCase[] = [];
  for (const side of ['encoder', 'decoder'] as const) {
    borderedMaps(model[side]).forEach(({ name, shape, border }) => {
      for (const direction of ['to borders', 'from borders'] as const) {
        copies.push(copyCase(model.name, `${side}/${name} ${direction}`, shape, border, images, direction));
      }
    });
  }
  const count = images * model.dimensions;
  copies.push({
    kernel: 'copyFloats',
    model: model.name,
    shape: `x ${images}×[${model.dimensions}]`,
    work: { unit: 'bytes', amount: 2 * count * FLOAT },
    prepare: (bench) => {
      const values = sampleFloats(7, count);
      const source = bench.place(values);
      const target = bench.arena.floats(count);
      return {
        reset: () => bench.floats(target, count).fill(UNWRITTEN),
        run: () => bench.kernels.copyFloats(source, target, count),
        check: () => assertSame(bench.floats(target, count), values, `copyFloats ${model.name}`),
      };
    },
  });
  return copies;
}

interface BorderedMap {
  readonly name: string;
  readonly shape: readonly [number, number, number];
  readonly border: Border;
}

/** Maps beside a reshape, or at an end, that a neighbouring layer wants with a border. */
function borderedMaps(layers: readonly Layer[]): BorderedMap[] {
  const maps: BorderedMap[] = [];
  const add = (name: string, shape: Shape, layer: CorrelationLayer | undefined, end: 'input' | 'output') => {
    if (layer === undefined || shape.length !== 3) return;
    const border =
      (layer.type === 'conv2dTranspose') === (end === 'input') ? smallBorder(layer) : bigBorder(layer);
    if (Object.values(border).some((width) => width > 0)) {
      maps.push({ name, shape: [shape[0]!, shape[1]!, shape[2]!], border });
    }
  };
  const correlations = (part: readonly Layer[]) => part.filter((layer) => layer.kind === 'correlation');
  layers.forEach((layer, i) => {
    if (layer.kind !== 'reshape') return;
    add(layer.name, layer.input, correlations(layers.slice(0, i)).at(-1), 'output');
    add(layer.name, layer.output, correlations(layers.slice(i))[0], 'input');
  });
  const all = correlations(layers);
  add('input', layers[0]!.input, all[0], 'input');
  add('output', layers.at(-1)!.output, all.at(-1), 'output');
  return maps;
}

function copyCase(
  model: string,
  name: string,
  mapShape: readonly [number, number, number],
  border: Border,
  images: number,
  direction: 'to borders' | 'from borders',
): KernelCase {
  const size = sizeOf(mapShape);
  const shape = `${name} ${images}×[${mapShape.join(',')}]`;
  return {
    kernel: 'copyPieces',
    model,
    shape,
    work: { unit: 'bytes', amount: 2 * images * size * FLOAT },
    prepare: (bench) => {
      const flat = new Tensor([1, 1, size]);
      const map = new Tensor(mapShape);
      map.require(border);
      flat.allocate(bench.arena, images);
      map.allocate(bench.arena, images);
      const [source, target] = direction === 'to borders' ? [flat, map] : [map, flat];
      const plan = planReshape(bench.arena, source, target);
      bench.arena.materialize(bench.memory.buffer);
      const values = sampleFloats(8, images * size);
      return {
        reset: () => {
          eachRow(bench, source, images, (row, from) => row.set(values.subarray(from, from + row.length)));
          eachRow(bench, target, images, (row) => row.fill(UNWRITTEN));
        },
        run: () => reshape(bench.kernels, plan, source.activation, target.activation, images),
        check: () =>
          eachRow(bench, target, images, (row, from) =>
            assertSame(row, values.subarray(from, from + row.length), shape),
          ),
      };
    },
  };
}

function eachRow(
  bench: Workbench,
  tensor: Tensor,
  images: number,
  visit: (row: Float32Array, from: number) => void,
): void {
  const length = tensor.width * tensor.channels;
  for (let image = 0, from = 0; image < images; image++) {
    for (let y = 0; y < tensor.height; y++, from += length) {
      visit(bench.floats(tensor.activation + tensor.offset(image, y, 0), length), from);
    }
  }
}

function posteriorInputs({ model, images }: Load) {
  const latents = images * model.latent;
  return {
    posterior: sampleFloats(9, 2 * latents).map((v) => v / 2),
    epsilon: sampleFloats(10, latents),
    dz: sampleFloats(11, latents),
  };
}

function gaussianForwardCase(load: Load): KernelCase {
  const { model, images } = load;
  const latents = images * model.latent;
  const shape = `${images}×[${model.latent}], analytic KL`;
  return {
    kernel: 'gaussianForward',
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: 4 * latents * FLOAT + images * DOUBLE },
    prepare: (bench) => {
      const inputs = posteriorInputs(load);
      const posterior = bench.place(inputs.posterior);
      const epsilon = bench.place(inputs.epsilon);
      const z = bench.arena.floats(latents);
      const kl = bench.arena.doubles(images);
      return {
        reset: () => {
          bench.floats(z, latents).fill(UNWRITTEN);
          bench.doubles(kl, images).fill(UNWRITTEN);
        },
        run: () =>
          bench.kernels.gaussianForward({
            posterior,
            epsilon,
            z,
            examples: images,
            samples: 1,
            latent: model.latent,
            analytic: 1,
            kl,
          }),
        check: () => {
          const q = exact(Float64Array.from(inputs.posterior));
          const e = Float64Array.from(inputs.epsilon);
          const expected = boundedReparameterise(q, e, 1, model.latent, float32);
          assertWithin(bench.floats(z, latents), expected, `gaussianForward z ${shape}`);
          const terms = boundedKlAnalytic(q, model.latent, float32);
          assertWithin(bench.doubles(kl, images), terms, `gaussianForward KL ${shape}`);
        },
      };
    },
  };
}

function gaussianBackwardCase(load: Load): KernelCase {
  const { model, images } = load;
  const latents = images * model.latent;
  const shape = `${images}×[${model.latent}], analytic KL`;
  return {
    kernel: 'gaussianBackward',
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: 6 * latents * FLOAT },
    prepare: (bench) => {
      const inputs = posteriorInputs(load);
      const posterior = bench.place(inputs.posterior);
      const epsilon = bench.place(inputs.epsilon);
      const dz = bench.place(inputs.dz);
      const zValues = sampleFloats(12, latents);
      const z = bench.place(zValues);
      const gradient = bench.arena.floats(2 * latents);
      return {
        reset: () => bench.floats(gradient, 2 * latents).fill(UNWRITTEN),
        run: () =>
          bench.kernels.gaussianBackward({
            posterior,
            epsilon,
            z,
            dz,
            dPosterior: gradient,
            examples: images,
            samples: 1,
            latent: model.latent,
            analytic: 1,
            beta: 0.5,
          }),
        check: () => {
          const [q, noise, zs, dzs] = [inputs.posterior, inputs.epsilon, zValues, inputs.dz].map((v) =>
            Float64Array.from(v),
          ) as [Float64Array, Float64Array, Float64Array, Float64Array];
          const expected = boundedGaussianBackward(
            exact(q),
            noise,
            exact(zs),
            exact(dzs),
            1,
            model.latent,
            'analytic',
            0.5,
            float32,
          );
          assertWithin(bench.floats(gradient, 2 * latents), expected, `gaussianBackward ${shape}`);
        },
      };
    },
  };
}

function gaussianLikelihoodCase({ model, images }: Load): KernelCase {
  const { dimensions } = model;
  const count = images * dimensions;
  const sigma = 0.1;
  const shape = `${images}×[${dimensions}] with gradient`;
  return {
    kernel: 'gaussianLikelihood',
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: 3 * count * FLOAT + images * DOUBLE },
    prepare: (bench) => {
      const meanValues = sampleFloats(13, count);
      const xValues = sampleFloats(14, count).map(Math.abs);
      const means = bench.place(meanValues);
      const x = bench.place(xValues);
      const gradient = bench.arena.floats(count);
      const sums = bench.arena.doubles(images);
      return {
        reset: () => {
          bench.floats(gradient, count).fill(UNWRITTEN);
          bench.doubles(sums, images).fill(UNWRITTEN);
        },
        run: () =>
          bench.kernels.gaussianLikelihood({
            means,
            x,
            rows: images,
            samples: 1,
            dimensions,
            sigma,
            scale: 1,
            logLikelihood: sums,
            dMeans: gradient,
          }),
        check: () => {
          const m = exact(Float64Array.from(meanValues));
          const pixels = Float64Array.from(xValues);
          const expected = boundedGaussianLogLikelihood(m, pixels, 1, dimensions, float32, sigma);
          assertWithin(bench.doubles(sums, images), expected, `gaussianLikelihood ${shape}`);
          const slopes = boundedGaussianSlope(m, pixels, 1, dimensions, 1, float32, sigma);
          assertWithin(bench.floats(gradient, count), slopes, `gaussianLikelihood gradient ${shape}`);
        },
      };
    },
  };
}

/**
 * Cases in which rows count differently: each image is an example of one row, with a weight that is not 1.
 */
function importanceCases(load: Load): KernelCase[] {
  const { model, images } = load;
  const { latent, dimensions } = model;
  const latents = images * latent;
  const common = { model: model.name, shape: `${images}×[${latent}]` };
  const weightValues = () => sampleFloats(15, images).map(Math.abs);
  const placeDraws = (bench: Workbench) => {
    const { posterior, epsilon, dz } = posteriorInputs(load);
    const z = sampleFloats(12, latents);
    return {
      values: { posterior, epsilon, dz, z },
      posterior: bench.place(posterior),
      epsilon: bench.place(epsilon),
      z: bench.place(z),
      dz: bench.place(dz),
    };
  };
  const doubles = (values: Float32Array) => Float64Array.from(values);
  return [
    {
      ...common,
      kernel: 'gaussianLogRatios',
      work: { unit: 'bytes', amount: 3 * latents * FLOAT + images * DOUBLE },
      prepare: (bench) => {
        const { values, posterior, epsilon, z } = placeDraws(bench);
        const ratios = bench.arena.doubles(images);
        return {
          reset: () => bench.doubles(ratios, images).fill(UNWRITTEN),
          run: () =>
            bench.kernels.gaussianLogRatios({
              posterior,
              epsilon,
              z,
              examples: images,
              samples: 1,
              latent,
              logRatio: ratios,
            }),
          check: () => {
            const expected = logRatioSums(values, latent);
            assertWithin(bench.doubles(ratios, images), expected, `gaussianLogRatios ${common.shape}`);
          },
        };
      },
    },
    {
      ...common,
      kernel: 'gaussianLogWeightGradient',
      work: { unit: 'bytes', amount: 6 * latents * FLOAT },
      prepare: (bench) => {
        const { values, ...draws } = placeDraws(bench);
        const out = bench.arena.floats(latents);
        return {
          reset: () => bench.floats(out, latents).fill(UNWRITTEN),
          run: () =>
            bench.kernels.gaussianLogWeightGradient({
              ...draws,
              ...{ scale: 1, gradient: out, examples: images, samples: 1, latent },
            }),
          check: () => {
            const expected = boundedLogWeightGradient({
              posterior: exact(doubles(values.posterior)),
              epsilon: exact(doubles(values.epsilon)),
              z: exact(doubles(values.z)),
              dz: exact(doubles(values.dz)),
              ...{ scale: 1, samples: 1, latent, arithmetic: float32 },
            });
            assertWithin(bench.floats(out, latents), expected, `gaussianLogWeightGradient ${common.shape}`);
          },
        };
      },
    },
    {
      ...common,
      kernel: 'gaussianBackwardEstimated',
      work: { unit: 'bytes', amount: 7 * latents * FLOAT },
      prepare: (bench) => {
        const { values, ...draws } = placeDraws(bench);
        const [weights, path, score] = [weightValues(), sampleFloats(16, images), sampleFloats(17, images)];
        const places = {
          weights: bench.place(weights),
          path: bench.place(path),
          score: bench.place(score),
        };
        const out = bench.arena.floats(2 * latents);
        return {
          reset: () => bench.floats(out, 2 * latents).fill(UNWRITTEN),
          run: () =>
            bench.kernels.gaussianBackwardEstimated({
              ...draws,
              ...places,
              dPosterior: out,
              examples: images,
              samples: 1,
              latent,
              beta: 0.5,
            }),
          check: () => {
            const expected = boundedEstimatedBackward({
              posterior: exact(doubles(values.posterior)),
              epsilon: doubles(values.epsilon),
              z: exact(doubles(values.z)),
              dz: exact(doubles(values.dz)),
              ...{ weights: doubles(weights), path: doubles(path), score: doubles(score) },
              ...{ samples: 1, latent, beta: 0.5, arithmetic: float32 },
            });
            assertWithin(
              bench.floats(out, 2 * latents),
              expected,
              `gaussianBackwardEstimated ${common.shape}`,
            );
          },
        };
      },
    },
    {
      ...common,
      kernel: 'scaleRows',
      shape: `${images}×[${dimensions}]`,
      work: { unit: 'bytes', amount: 2 * images * dimensions * FLOAT },
      prepare: (bench) => {
        const count = images * dimensions;
        const before = sampleFloats(16, count);
        const values = bench.place(before);
        const weights = bench.place(weightValues());
        return {
          reset: () => bench.floats(values, count).set(before),
          run: () => bench.kernels.scaleRows(values, weights, images, dimensions),
          check: () => {
            const factors = weightValues();
            const expected = before.map((value, i) => value * factors[Math.floor(i / dimensions)]!);
            assertSame(bench.floats(values, count), expected, `scaleRows ${images}×[${dimensions}]`);
          },
          // Products in place would vanish.
          steady: () => bench.floats(values, count).fill(0),
        };
      },
    },
    {
      ...common,
      kernel: 'gaussianBackwardWeighted',
      work: { unit: 'bytes', amount: 6 * latents * FLOAT },
      prepare: (bench) => {
        const { values, posterior, epsilon, z, dz } = placeDraws(bench);
        // Rows of one example share it: with one row its weight is 1.
        const weights = bench.place(new Float32Array(images).fill(1));
        const gradient = bench.arena.floats(2 * latents);
        return {
          reset: () => bench.floats(gradient, 2 * latents).fill(UNWRITTEN),
          run: () =>
            bench.kernels.gaussianBackwardWeighted({
              posterior,
              epsilon,
              z,
              dz,
              weights,
              dPosterior: gradient,
              examples: images,
              samples: 1,
              latent,
              beta: 0.5,
            }),
          check: () => {
            const [q, noise, zs, dzs] = [values.posterior, values.epsilon, values.z, values.dz].map(
              doubles,
            ) as [Float64Array, Float64Array, Float64Array, Float64Array];
            const ones = exact(new Float64Array(images).fill(1));
            const expected = boundedWeightedBackward(
              exact(q),
              noise,
              exact(zs),
              exact(dzs),
              ones,
              1,
              latent,
              0.5,
              float32,
            );
            const what = `gaussianBackwardWeighted ${common.shape}`;
            assertWithin(bench.floats(gradient, 2 * latents), expected, what);
          },
        };
      },
    },
  ];
}

/**
 * −½ Σ_j (z² − ε² − logvar) of each row, with float32 terms summed in float64: two orders differ by at most 2
 * (n − 1) 2⁻⁵³ of the terms' magnitudes, and the factor is exact.
 */
function logRatioSums(
  { posterior, epsilon, z }: Readonly<Record<'posterior' | 'epsilon' | 'z', Float32Array>>,
  latent: number,
): { value: Float64Array; bound: Float64Array } {
  const f = Math.fround;
  const rows = z.length / latent;
  const [value, bound] = [new Float64Array(rows), new Float64Array(rows)];
  z.forEach((sample, i) => {
    const row = Math.floor(i / latent);
    const logvar = posterior[row * 2 * latent + latent + (i % latent)]!;
    const term = f(f(f(sample * sample) - f(epsilon[i]! * epsilon[i]!)) - logvar);
    value[row]! -= term / 2;
    bound[row]! += Math.abs(term) * latent * 2 ** -53;
  });
  return { value, bound };
}

function bernoulliCase({ model, images }: Load): KernelCase {
  const { dimensions } = model;
  const count = images * dimensions;
  const shape = `${images}×[${dimensions}] with gradient`;
  return {
    kernel: 'bernoulli',
    model: model.name,
    shape,
    work: { unit: 'bytes', amount: 3 * count * FLOAT + images * DOUBLE },
    prepare: (bench) => {
      const logitValues = sampleFloats(13, count);
      const xValues = sampleFloats(14, count).map((v) => (v > 0 ? 1 : 0));
      const logits = bench.place(logitValues);
      const x = bench.place(xValues);
      const gradient = bench.arena.floats(count);
      const sums = bench.arena.doubles(images);
      const terms = bench.arena.floats(dimensions);
      return {
        reset: () => {
          bench.floats(gradient, count).fill(UNWRITTEN);
          bench.doubles(sums, images).fill(UNWRITTEN);
        },
        run: () =>
          bench.kernels.bernoulli({
            logits,
            x,
            rows: images,
            samples: 1,
            dimensions,
            scale: 1,
            logLikelihood: sums,
            terms,
            dLogits: gradient,
          }),
        check: () => {
          const l = exact(Float64Array.from(logitValues));
          const pixels = Float64Array.from(xValues);
          const expected = boundedLogLikelihood(l, pixels, 1, dimensions, float32);
          assertWithin(bench.doubles(sums, images), expected, `bernoulli log-likelihood ${shape}`);
          const slopes = boundedBernoulliBackward(l, pixels, 1, dimensions, 1, float32);
          assertWithin(bench.floats(gradient, count), slopes, `bernoulli gradient ${shape}`);
        },
      };
    },
  };
}

/**
 * exp and log are within 4 ulp (test/kernels/elementary.test.ts); the logistic function is a quotient of two
 * such, each of which rounds once more: 4 + ½ + ½ + 4 ulp.
 */
const FUNCTIONS = [
  { kernel: 'sigmoidArray', expected: sigmoid, ulps: 9, domain: (x: number) => x },
  { kernel: 'expArray', expected: Math.exp, ulps: 4, domain: (x: number) => x },
  { kernel: 'logArray', expected: Math.log, ulps: 4, domain: (x: number) => Math.abs(x) + 2 ** -8 },
] as const;

/** Arrays of as many elements as images have pixels: pictures use them, steps do not. */
function functionCases({ model, images }: Load): KernelCase[] {
  const count = images * model.dimensions;
  return FUNCTIONS.map(({ kernel, expected, ulps, domain }): KernelCase => {
    const shape = `${images}×[${model.dimensions}]`;
    return {
      kernel,
      model: model.name,
      shape,
      work: { unit: 'bytes', amount: 2 * count * FLOAT },
      prepare: (bench) => {
        const values = sampleFloats(15, count).map(domain);
        const source = bench.place(values);
        const out = bench.arena.floats(count);
        return {
          reset: () => bench.floats(out, count).fill(UNWRITTEN),
          run: () => bench.kernels[kernel](source, out, count),
          check: () => {
            const value = Float64Array.from(values, expected);
            const bound = value.map((v) => ulps * ulp(v));
            assertWithin(bench.floats(out, count), { value, bound }, `${kernel} ${shape}`);
          },
        };
      },
    };
  });
}
