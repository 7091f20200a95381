import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const harness = new KernelHarness();

test('copyFloats: every float, and none behind the last', () => {
  for (let count = 0; count <= 18; count++) {
    harness.reset();
    const values = sampleFloats(count, count);
    const source = harness.input(values);
    const target = harness.output(values.byteLength);
    harness.run((kernels) => kernels.copyFloats(source, target, count));
    assertSameBits(harness.floats(target, count), values, `${count} floats`);
  }
});

/** Pieces one after the other, `gap` floats between them. */
function layout(lengths: readonly number[], gap: number): { starts: number[]; size: number } {
  let size = 0;
  const starts = lengths.map((length) => {
    const start = size;
    size += length + gap;
    return start;
  });
  return { starts, size };
}

test('copyPieces: each image, piece by piece, from one layout to another', () => {
  const anyLengths = fc.array(fc.integer({ min: 1, max: 11 }), { minLength: 1, maxLength: 5 });
  const gap = fc.integer({ min: 0, max: 5 });
  const anyImages = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(anyLengths, gap, gap, anyImages, (lengths, sourceGap, targetGap, images) => {
      harness.reset();
      const from = layout(lengths, sourceGap);
      // The target has the pieces in reverse.
      const to = layout([...lengths].reverse(), targetGap);
      to.starts.reverse();
      const values = sampleFloats(images, images * from.size);
      const source = harness.input(values);
      const target = harness.input(new Float32Array(images * to.size));
      const table = harness.u32(
        lengths.flatMap((length, i) => [from.starts[i]! * 4, to.starts[i]! * 4, length * 4]),
      );
      const pieces = lengths.flatMap((length, i) =>
        Array.from({ length: images }, (_, image) => {
          const start = image * from.size + from.starts[i]!;
          const address = target + (image * to.size + to.starts[i]!) * 4;
          return { address, length, expected: values.subarray(start, start + length) };
        }),
      );
      for (const { address, length } of pieces) harness.allow(address, length * 4);
      harness.run((kernels) =>
        kernels.copyPieces({
          table,
          pieces: lengths.length,
          source,
          target,
          images,
          sourceStride: from.size * 4,
          targetStride: to.size * 4,
        }),
      );
      for (const { address, length, expected } of pieces) {
        assertSameBits(harness.floats(address, length), expected, 'a piece');
      }
    }),
  );
});
