import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import { paddedColumns, panels, type Weights } from './packing.js';

/** Weights [taps, inner, columns], or [taps, columns, inner] where the channel axes are exchanged. */
interface Layer {
  readonly taps: number;
  readonly inner: number;
  readonly columns: number;
  readonly exchanged: boolean;
  /** The order in which the taps are packed. */
  readonly order: readonly number[];
}

const layers = fc
  .record({
    taps: fc.integer({ min: 1, max: 6 }),
    inner: fc.integer({ min: 1, max: 9 }),
    columns: fc.integer({ min: 1, max: 33 }),
    exchanged: fc.boolean(),
    order: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 6 }),
  })
  .map((layer): Layer => ({ ...layer, order: layer.order.map((tap) => tap % layer.taps) }));

const harness = new KernelHarness();

/** Places the weights; returns the kernels' view of them, and ours. */
function place({ taps, inner, columns, exchanged, order }: Layer) {
  const values = sampleFloats(inner * columns, taps * inner * columns);
  const [innerStride, columnStride] = exchanged ? [1, inner] : [columns, 1];
  const weights: Weights = (k, column) =>
    values[
      order[Math.floor(k / inner)]! * inner * columns + (k % inner) * innerStride + column * columnStride
    ]!;
  harness.reset();
  return {
    weights,
    source: harness.input(values),
    tapOffsets: harness.u32(order.map((tap) => tap * inner * columns * 4)),
    innerStride: innerStride * 4,
    columnStride: columnStride * 4,
  };
}

test('packPanels: panels of eight columns, packed as a whole or by two workers', () => {
  fc.assert(
    fc.property(layers, fc.nat({ max: 5 }), (layer, split) => {
      const { inner, columns, order } = layer;
      const { weights, source, tapOffsets, innerStride, columnStride } = place(layer);
      const depth = order.length * inner;
      const expected = panels(weights, depth, columns);
      const count = Math.ceil(columns / 8);
      const middle = Math.min(split, count);
      const packed = harness.output(expected.byteLength);
      for (const [from, to] of [
        [middle, count],
        [0, middle],
      ] as const) {
        harness.run((kernels) =>
          kernels.packPanels(
            source,
            order.length,
            tapOffsets,
            inner,
            innerStride,
            columns,
            columnStride,
            from,
            to,
            packed,
          ),
        );
      }
      assertSameBits(harness.floats(packed, expected.length), expected, 'panels');
    }),
  );
});

test('packPanels: one worker writes its own panels alone', () => {
  const layer: Layer = { taps: 2, inner: 3, columns: 20, exchanged: false, order: [1, 0] };
  const { weights, source, tapOffsets, innerStride, columnStride } = place(layer);
  const depth = 6;
  const before = new Float32Array(3 * depth * 8).fill(-7);
  const packed = harness.input(before);
  harness.allow(packed + depth * 8 * 4, depth * 8 * 4);
  harness.run((kernels) =>
    kernels.packPanels(source, 2, tapOffsets, 3, innerStride, 20, columnStride, 1, 2, packed),
  );
  const second = panels(weights, depth, 20).subarray(depth * 8, 2 * depth * 8);
  assertSameBits(harness.floats(packed + depth * 8 * 4, depth * 8), second, 'the second panel');
});

test('packColumns: whole columns, each segment rounded up to four with zeros', () => {
  fc.assert(
    fc.property(layers, fc.integer({ min: 1, max: 3 }), (layer, segments) => {
      const tapsPerSegment = layer.order.length;
      const order = Array.from({ length: segments }, (_, s) =>
        layer.order.map((tap) => (tap + s) % layer.taps),
      );
      const { inner, columns } = layer;
      const { weights, source, tapOffsets, innerStride, columnStride } = place({
        ...layer,
        order: order.flat(),
      });
      const lengths = order.map((taps) => taps.length * inner);
      const expected = paddedColumns(weights, lengths, columns);
      const packed = harness.output(expected.byteLength);
      harness.run((kernels) =>
        kernels.packColumns(
          source,
          segments,
          tapsPerSegment,
          tapOffsets,
          inner,
          innerStride,
          columns,
          columnStride,
          packed,
        ),
      );
      assertSameBits(harness.floats(packed, expected.length), expected, 'columns');
    }),
  );
});
