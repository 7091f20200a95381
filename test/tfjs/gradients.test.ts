import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gamma } from '../kernels/float32.js';
import { type GradientCase, gradientCases } from './gradientCases.js';
import { type GradientResult, runGradient, valuesOf } from './gradientRun.js';
import { tf, useBackend } from './onWasm.js';

/** Gradients of TensorFlow.js that no kernel of any backend can mend. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  ComplexAbs: "the backend 'wasm' has no complex tensors",
  Prod: "tfjs-core's gradient calls a method of tensors (reshape) that only the package @tensorflow/tfjs adds",
};

/** Cases in which tfjs-core's gradient function itself, and so every backend, refuses. */
const REFUSALS: readonly RegExp[] = [
  // It does not sum over the axes along which an operand was broadcast.
  /^(maximum|minimum|squareddifference) of a (row|column|scalar)$/,
  // It transposes a gradient that is in the right order already, unless the axis is the last one.
  /^cumsum, exclusive and reversed$/,
];

/**
 * Linear in x, and wrong on TensorFlow.js's cpu backend: averages over windows that reach over the border, and
 * resampling of several images. Their forward passes are right there.
 */
const LINEAR = /^(AvgPool|AvgPool3D|ResizeBilinear|ResizeNearestNeighbor)$/;

const walked = gradientCases.filter(
  ({ kernel, name }) => !(kernel in EXCEPTIONS) && !REFUSALS.some((refusal) => refusal.test(name)),
);

test('every gradient that tfjs-core registers has a case or a reason to have none', () => {
  const registered = Object.values(tf).filter((name) => typeof name === 'string' && tf.getGradient(name));
  assert.ok(registered.length > 90, `tfjs-core registers ${registered.length} gradients alone`);
  const covered = new Set([...walked.map(({ kernel }) => kernel), ...Object.keys(EXCEPTIONS)]);
  assert.deepEqual(
    registered.filter((name) => !covered.has(name as string)),
    [],
  );
});

for (const gradientCase of walked) {
  test(`${gradientCase.kernel}: ${gradientCase.name}`, async () => {
    await useBackend('cpu');
    const expected = LINEAR.test(gradientCase.kernel)
      ? byUnitVectors(gradientCase)
      : runGradient(tf, gradientCase);
    await useBackend('wasm');
    const actual = runGradient(tf, gradientCase);
    assertClose(actual.value, expected.value, gradientCase, 'value');
    gradientCase.inputs.forEach((_, i) => {
      assertClose(actual.gradients[i]!, expected.gradients[i]!, gradientCase, `gradient ${i}`);
    });
  });
}

test('refusals of tfjs-core are still there: else the list is to be shortened', async () => {
  await useBackend('cpu');
  const refused = gradientCases.filter(
    ({ kernel, name }) => kernel === 'Prod' || REFUSALS.some((refusal) => refusal.test(name)),
  );
  assert.ok(refused.length > 0);
  for (const each of refused) assert.throws(() => runGradient(tf, each), Error, each.name);
});

/** For a linear f: ∂(dy · f(x)) / ∂x_i = dy · f(e_i). */
function byUnitVectors(gradientCase: GradientCase): GradientResult {
  const { value } = forward(gradientCase);
  const [spec] = gradientCase.inputs;
  const size = spec!.shape.reduce((product, extent) => product * extent, 1);
  const dy = valuesOf({ shape: value.shape, low: 0.5, high: 1.5, kind: 'real' }, 1001);
  const gradient = Float32Array.from({ length: size }, (_, i) => {
    const image = tf.tidy(() => {
      const unit = new Float32Array(size);
      unit[i] = 1;
      return gradientCase.run(tf, [tf.tensor(unit, [...spec!.shape])], []).dataSync();
    });
    return dy.reduce((sum, weight, k) => sum + weight * image[k]!, 0);
  });
  return { value: value.data, gradients: [gradient] };
}

function forward(gradientCase: GradientCase): { value: { shape: number[]; data: Float32Array } } {
  return tf.tidy(() => {
    const [spec] = gradientCase.inputs;
    const x = tf.tensor(valuesOf(spec!, 1), [...spec!.shape]);
    const y = gradientCase.run(tf, [x], []);
    return { value: { shape: y.shape, data: Float32Array.from(y.dataSync()) } };
  });
}

/**
 * No number of a case is a sum of more terms than its largest tensor has, and none goes through more than 16 other
 * roundings, on either backend; the terms are no larger than four times the largest of the results.
 */
function assertClose(
  actual: Float32Array,
  expected: Float32Array,
  { inputs }: GradientCase,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  const sizes = inputs.map(({ shape }) => shape.reduce((product, extent) => product * extent, 1));
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bound = 2 * gamma(Math.max(...sizes, expected.length) + 16) * 4 * largest;
  expected.forEach((value, i) => {
    const error = Math.abs(actual[i]! - value);
    assert.ok(error <= bound, `${what}[${i}] is ${actual[i]}, expected ${value} within ${bound}`);
  });
}
