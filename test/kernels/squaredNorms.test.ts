import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleFloats } from './float32.js';
import { KernelHarness } from './kernelHarness.js';
import { squaresOfUnits } from './scalarNorms.js';

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

describe('squaredNorms', () => {
  const harness = new KernelHarness();
  const norms = (values: Float32Array, unit: number): Float64Array => {
    harness.reset();
    const x = harness.input(values);
    const out = harness.output(Math.ceil(values.length / unit) * DOUBLE);
    harness.run((kernels) => kernels.squaredNorms(x, values.length, unit, out));
    return new Float64Array(harness.memory.buffer, out, Math.ceil(values.length / unit)).slice();
  };

  it('has the squared norm of each unit, the last one shorter, whatever stands behind it', () => {
    for (const unit of [4, 16, 128]) {
      for (const count of [1, 3, 4, 5, 16, 127, 128, 129, 300]) {
        const values = sampleFloats(count, count);
        assert.deepEqual(
          norms(values, unit),
          squaresOfUnits(values, unit),
          `${count} floats in units of ${unit}`,
        );
      }
    }
  });

  it('neither overflows nor underflows where the squares of floats would', () => {
    const large = 3.4028234663852886e38;
    const small = 2 ** -149;
    assert.deepEqual(norms(Float32Array.of(large, large, large), 4), Float64Array.of(3 * large ** 2));
    assert.deepEqual(norms(Float32Array.of(small, small), 4), Float64Array.of(2 * small ** 2));
  });

  it('carries NaN and infinity', () => {
    assert.deepEqual(
      norms(Float32Array.of(1, Number.NaN, 2, 3, 1, Number.NEGATIVE_INFINITY), 4),
      Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY),
    );
  });
});
