import { test } from 'node:test';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();

test('transposeMatrix: every shape below, at and above a block of four by four', () => {
  for (let rows = 1; rows <= 9; rows++) {
    for (let columns = 1; columns <= 9; columns++) {
      harness.reset();
      const sourcePitch = columns + 2;
      const targetPitch = rows + 1;
      const values = sampleFloats(rows * 10 + columns, rows * sourcePitch);
      const source = harness.input(values);
      const target = harness.input(new Float32Array(columns * targetPitch).fill(-1));
      for (let column = 0; column < columns; column++) {
        harness.allow(target + column * targetPitch * 4, rows * 4);
      }
      harness.run((kernels) =>
        kernels.transposeMatrix(source, rows, columns, sourcePitch * 4, target, targetPitch * 4),
      );
      for (let column = 0; column < columns; column++) {
        const expected = Float32Array.from({ length: rows }, (_, row) => values[row * sourcePitch + column]!);
        const actual = harness.floats(target + column * targetPitch * 4, rows);
        assertSameBits(actual, expected, `${rows}×${columns}, column ${column}`);
      }
    }
  }
});
