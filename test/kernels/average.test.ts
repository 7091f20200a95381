import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import { scalarAverage } from './scalarAverage.js';

const harness = new KernelHarness();

function averageFloats(average: Float32Array, values: Float32Array, weight: number) {
  harness.reset();
  const address = harness.inPlace(average);
  const source = harness.input(values);
  let finite = -1;
  harness.run((kernels) => {
    finite = kernels.averageFloats(address, source, average.length, weight);
  });
  return { after: harness.floats(address, average.length), finite };
}

test('every count to 33, weights on both sides of a half: the reference to the bit, and not a byte beside it', () => {
  for (let count = 1; count <= 33; count++) {
    const [average, values] = [sampleFloats(count, count), sampleFloats(count + 50, count)];
    for (const weight of [0, 0.001, 0.4999, 0.5, 0.7, 1]) {
      const { after, finite } = averageFloats(average, values, weight);
      assertSameBits(after, scalarAverage(average, values, weight), `${count} floats, weight ${weight}`);
      assert.equal(finite, 1);
    }
  }
});

test('equal numbers stay as they are, whatever the weight; the weight 1 gives the values, 0 keeps the average', () => {
  // A sum that is zero is +0.
  const positive = (value: number) => value + 0;
  const [average, values] = [sampleFloats(1, 45).map(positive), sampleFloats(2, 45).map(positive)];
  for (const weight of [1e-8, 1e-4, 0.3, 0.9, 1]) {
    assertSameBits(averageFloats(values, values, weight).after, values, `weight ${weight}`);
  }
  assertSameBits(averageFloats(average, values, 1).after, values, 'weight 1');
  assertSameBits(averageFloats(average, values, 0).after, average, 'weight 0');
});

test('what is not finite is seen, wherever it stands and on whichever side', () => {
  const count = 45;
  for (const weight of [0.01, 0.8]) {
    for (const place of [0, 3, 4, 7, 31, 40, count - 1]) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (const side of [0, 1]) {
          const both = [sampleFloats(1, count), sampleFloats(2, count)] as const;
          both[side]![place] = bad;
          assert.equal(averageFloats(both[0], both[1], weight).finite, 0, `${bad} at ${place}, ${weight}`);
        }
      }
      // Both are finite, their difference is not.
      const [average, values] = [sampleFloats(1, count), sampleFloats(2, count)];
      average[place] = 3e38;
      values[place] = -3e38;
      assert.equal(averageFloats(average, values, weight).finite, 0, `far apart, ${weight}`);
    }
  }
});
