import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gamma } from '../kernels/float32.js';
import { type GradientCase, gradientCases } from './gradientCases.js';
import { DIFFERENCE_NOISE, EXCEPTIONS, REFUSALS, reference } from './gradientReference.js';
import { runGradient } from './gradientRun.js';
import { mendedCases } from './mendedCases.js';
import { tf, useBackend } from './onWasm.js';

const walked = gradientCases.filter(({ kernel }) => !(kernel in EXCEPTIONS));

function isRefused({ name }: GradientCase): boolean {
  return REFUSALS.some((refusal) => refusal.test(name));
}

test('every gradient that tfjs-core registers has a case or a reason to have none', () => {
  const registered = Object.values(tf).filter((name) => typeof name === 'string' && tf.getGradient(name));
  assert.ok(registered.length > 90, `tfjs-core registers ${registered.length} gradients alone`);
  const cases = [...walked, ...mendedCases];
  const covered = new Set([...cases.map(({ kernel }) => kernel), ...Object.keys(EXCEPTIONS)]);
  assert.deepEqual(
    registered.filter((name) => !covered.has(name as string)),
    [],
  );
});

for (const gradientCase of walked) {
  test(`${gradientCase.kernel}: ${gradientCase.name}`, async () => {
    await useBackend('cpu');
    const expected = reference(tf, gradientCase);
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
  const refused = gradientCases.filter(isRefused);
  assert.ok(refused.length > 0);
  for (const each of refused) assert.throws(() => runGradient(tf, each), Error, each.name);
});

/**
 * No number of a case is a sum of more terms than its largest tensor has, and none goes through more than 16
 * other roundings, on either backend; the terms are no larger than four times the largest of the results.
 * Where the reference is a difference of two values, their roundings are divided by the step.
 */
function assertClose(
  actual: Float32Array,
  expected: Float32Array,
  gradientCase: GradientCase,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  const sizes = gradientCase.inputs.map(({ shape }) =>
    shape.reduce((product, extent) => product * extent, 1),
  );
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bound =
    2 *
    gamma(Math.max(...sizes, expected.length) + 16) *
    4 *
    largest *
    (isRefused(gradientCase) ? DIFFERENCE_NOISE : 1);
  expected.forEach((value, i) => {
    const error = Math.abs(actual[i]! - value);
    assert.ok(error <= bound, `${what}[${i}] is ${actual[i]}, expected ${value} within ${bound}`);
  });
}
