import { test } from 'node:test';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();

function scaleFloats(values: Float32Array, factor: number): Float32Array {
  harness.reset();
  const address = harness.inPlace(values);
  harness.run((kernels) => kernels.scaleFloats(address, values.length, factor));
  return harness.floats(address, values.length);
}

test('every count to 33: the products, rounded once, and not a byte beside them', () => {
  for (let count = 1; count <= 33; count++) {
    const values = sampleFloats(count, count);
    for (const factor of [0.997, 1, 0, -3]) {
      const expected = values.map((value) => value * Math.fround(factor));
      assertSameBits(scaleFloats(values, factor), expected, `${count} floats by ${factor}`);
    }
  }
});

test('NaN stays, and infinities, zeros and subnormal numbers are scaled as others', () => {
  const special = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    -0,
    2 ** -149,
    -(2 ** -140),
    1,
    2,
  ];
  const values = Float32Array.from(special);
  const expected = values.map((value) => value * 0.5);
  assertSameBits(scaleFloats(values, 0.5), expected, 'special values');
});
