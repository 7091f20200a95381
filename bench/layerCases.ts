// Layers that none of the three models has, at the shapes of cvae's first map: activations, pools,
// upsampling, residual blocks. References and their bounds are those of test/reference.

import { planResampling } from '#src/backends/simd/layers/resample.js';
import type { Settings } from '#src/model/activations/activation.js';
import {
  type ActivationName,
  activationNames,
  activationOf,
  activationSettings,
} from '#src/model/activations/registry.js';
import { sizeOf } from '#src/model/layout.js';
import type { MapShape, ResampleLayer } from '#src/model/model.js';
import { Tensor } from '#src/products/tensor.js';
import { sampleFloats } from '../test/kernels/float32.js';
import { referenceActivations } from '../test/reference/activations.js';
import {
  resampleBackward,
  resampleBackwardBound,
  resampleForward,
  resampleForwardBound,
} from '../test/reference/resample.js';
import { exact, float32 } from '../test/reference/rounding.js';
import { assertSame, assertWithin, type KernelCase, type PreparedCase, UNWRITTEN } from './kernelCase.js';
import type { Workbench } from './workbench.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Stands for a model's name in the cases of several models. */
const MODEL = 'other layers';

const MAP: MapShape = [14, 14, 32];

export function layerCases(images: number): KernelCase[] {
  const others = activationNames.filter((name) => name !== 'relu' && name !== 'tanh');
  return [
    ...others.flatMap((name) => [forwardCase(name, images), backwardCase(name, images)]),
    ...RESAMPLED.flatMap((layer) => [
      resampleCase(layer, images, 'Forward'),
      resampleCase(layer, images, 'Backward'),
    ]),
    additionCase(images),
  ];
}

function describe(kernel: string, images: number, arrays: number): Omit<KernelCase, 'prepare'> {
  const count = images * sizeOf(MAP);
  return {
    kernel,
    model: MODEL,
    shape: `${images}×[${MAP.join(',')}]`,
    work: { unit: 'bytes', amount: arrays * count * FLOAT },
  };
}

function settingsFor(name: ActivationName): Settings {
  return activationSettings({ type: name }) ?? {};
}

/** In place, or from one array to another. */
function forwardCase(name: ActivationName, images: number): KernelCase {
  const f = activationOf(name);
  const settings = settingsFor(name);
  const count = images * sizeOf(MAP);
  const { value, valueBound } = referenceActivations[name];
  const description = describe(`${name}Forward`, images, 2);
  return {
    ...description,
    prepare: (bench) => {
      const values = sampleFloats(1, count);
      const x = bench.place(values);
      const y = f.gradientNeeds === 'input' ? bench.arena.floats(count) : x;
      return {
        reset: () => {
          bench.floats(y, count).fill(UNWRITTEN);
          bench.floats(x, count).set(values);
        },
        run:
          f.gradientNeeds === 'input'
            ? () => f.forward(bench.kernels, x, y, count, settings)
            : () => f.forward(bench.kernels, x, count, settings),
        check: () => {
          const expected = exact(Float64Array.from(values, (v) => value(v, settings)));
          values.forEach((v, i) => {
            expected.bound[i] = valueBound({ value: v, bound: 0 }, float32, settings);
          });
          assertWithin(bench.floats(y, count), expected, description.kernel);
        },
        // Else in place, again and again, numbers become subnormal, and those are slow.
        steady: () => bench.floats(x, count).fill(0),
      };
    },
  };
}

function backwardCase(name: ActivationName, images: number): KernelCase {
  const f = activationOf(name);
  const settings = settingsFor(name);
  const count = images * sizeOf(MAP);
  const { value, slope, gradientBound } = referenceActivations[name];
  const description = describe(`${name}Backward`, images, 3);
  return {
    ...description,
    prepare: (bench) => {
      const values = sampleFloats(1, count);
      const dValues = sampleFloats(2, count);
      const inPlace = f.gradientNeeds === 'output';
      const needed = bench.place(inPlace ? values.map((v) => value(v, settings)) : values);
      const dy = bench.place(dValues);
      const dx = inPlace ? dy : bench.arena.floats(count);
      return {
        reset: () => {
          bench.floats(dx, count).fill(UNWRITTEN);
          bench.floats(dy, count).set(dValues);
        },
        run:
          f.gradientNeeds === 'output'
            ? () => f.backward(bench.kernels, needed, dy, count, settings)
            : () => f.backward(bench.kernels, needed, dy, dx, count, settings),
        check: () => {
          const expected = exact(Float64Array.from(values, (v, i) => dValues[i]! * slope(v, settings)));
          values.forEach((v, i) => {
            const [x, d] = [v, dValues[i]!].map((number) => ({ value: number, bound: 0 }));
            expected.bound[i] = gradientBound(x!, d!, float32, settings);
          });
          assertWithin(bench.floats(dx, count), expected, description.kernel);
        },
        steady: () => bench.floats(dy, count).fill(0),
      };
    },
  };
}

const HALF: MapShape = [7, 7, 32];
const pairs = { size: [2, 2], strides: [2, 2], padding: [0, 0] } as const;

const RESAMPLED: readonly ResampleLayer[] = [
  { kind: 'resample', type: 'maxPool', name: 'maxPool', input: MAP, output: HALF, ...pairs },
  { kind: 'resample', type: 'avgPool', name: 'averagePool', input: MAP, output: HALF, ...pairs },
  { kind: 'resample', type: 'upsample', name: 'upsample', input: HALF, output: MAP, ...pairs },
];

/** Maps without borders: these only change strides. */
function resampleCase(layer: ResampleLayer, images: number, way: 'Forward' | 'Backward'): KernelCase {
  const kernel = `${layer.name}${way}`;
  const description = describe(kernel, images, 1.25);
  return { ...description, prepare: (bench) => prepareResampling(bench, layer, images, way, kernel) };
}

function prepareResampling(
  bench: Workbench,
  layer: ResampleLayer,
  images: number,
  way: 'Forward' | 'Backward',
  kernel: string,
): PreparedCase {
  const [input, output] = [Tensor.of(layer.input), Tensor.of(layer.output)];
  input.allocate(bench.arena, images);
  output.allocate(bench.arena, images);
  const pass = planResampling(bench.arena, layer, input, output);
  bench.arena.materialize(bench.memory.buffer);
  const inputs = sampleFloats(3, images * input.size);
  const gradients = sampleFloats(4, images * output.size);
  const written = way === 'Forward' ? output.activation : input.gradient;
  const count = images * (way === 'Forward' ? output.size : input.size);
  return {
    reset: () => {
      bench.floats(input.activation, inputs.length).set(inputs);
      bench.floats(output.gradient, gradients.length).set(gradients);
      bench.floats(written, count).fill(UNWRITTEN);
    },
    run: () =>
      way === 'Forward' ? pass.forward(bench.kernels, images) : pass.backward(bench.kernels, images),
    check: () => {
      const [x, d] = [exact(Float64Array.from(inputs)), exact(Float64Array.from(gradients))];
      const expected =
        way === 'Forward'
          ? {
              value: resampleForward(layer, images, x.value),
              bound: resampleForwardBound(layer, images, x, float32),
            }
          : {
              value: resampleBackward(layer, images, x.value, d.value),
              bound: resampleBackwardBound(layer, images, x, d, float32),
            };
      assertWithin(bench.floats(written, count), expected, kernel);
    },
  };
}

function additionCase(images: number): KernelCase {
  const count = images * sizeOf(MAP);
  const description = describe('addFloats', images, 3);
  return {
    ...description,
    prepare: (bench) => {
      const [aValues, bValues] = [sampleFloats(5, count), sampleFloats(6, count)];
      const [a, b] = [bench.place(aValues), bench.place(bValues)];
      const out = bench.arena.floats(count);
      return {
        reset: () => bench.floats(out, count).fill(UNWRITTEN),
        run: () => bench.kernels.addFloats(a, b, out, count),
        check: () =>
          assertSame(
            bench.floats(out, count),
            aValues.map((v, i) => v + bValues[i]!),
            'addFloats',
          ),
      };
    },
  };
}
