import { test } from 'node:test';
import { add, sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();

// Eight floats at a time, then one.
for (const target of ['elsewhere', 'left', 'right'] as const) {
  test(`every count to 33: the sum of two spans, ${target}, and not a byte more`, () => {
    for (let count = 0; count <= 33; count++) {
      const [a, b] = [sampleFloats(count, count), sampleFloats(count + 50, count)];
      harness.reset();
      const left = target === 'left' ? harness.inPlace(a) : harness.input(a);
      const right = target === 'right' ? harness.inPlace(b) : harness.input(b);
      const out = { left, right, elsewhere: 0 }[target] || harness.output(a.byteLength);
      harness.run((kernels) => kernels.addSpans(left, right, out, count));
      const expected = a.map((value, i) => add(value, b[i]!));
      assertSameBits(harness.floats(out, count), expected, `${count} floats`);
    }
  });
}
