import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kernels } from '#src/kernels/kernels.js';
import { KernelHarness } from './kernelHarness.js';

describe('allFinite', () => {
  const harness = new KernelHarness();
  // Behind the numbers stands a NaN.
  const check = (values: Float32Array): number => {
    let finite = -1;
    harness.reset();
    const address = harness.input(values);
    harness.run((kernels) => {
      finite = (kernels as Kernels).allFinite(address, values.length);
    });
    return finite;
  };

  it('is 1 for all finite numbers, whatever stands behind them', () => {
    const finite = [0, -0, 1, -1, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -1e-45];
    for (let count = 0; count <= 70; count++) {
      assert.equal(check(Float32Array.from({ length: count }, (_, i) => finite[i % 8]!)), 1, `${count}`);
    }
  });

  it('is 0 for an infinity or a NaN in any place', () => {
    for (const count of [1, 15, 16, 17, 64, 67]) {
      for (let place = 0; place < count; place++) {
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const values = new Float32Array(count).fill(1);
          values[place] = value;
          assert.equal(check(values), 0, `${value} at ${place} of ${count}`);
        }
      }
    }
  });
});
