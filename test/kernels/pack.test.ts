import { test } from 'node:test';
import fc from 'fast-check';
import type { Address } from '#src/kernels/address.js';
import { TILE_NAMES, TILES } from '#src/kernels/tiles/tile.js';
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

/** The widths of the tiles' panels. */
const widths = [...new Set(TILE_NAMES.map((name) => TILES[name].columns))];

const harness = new KernelHarness();

interface Placed {
  readonly source: Address;
  readonly tapOffsets: Address;
  /** In bytes. */
  readonly innerStride: number;
  readonly columnStride: number;
}

/** Places the weights; returns the kernels' view of them, and ours. */
function place({ taps, inner, columns, exchanged, order }: Layer): Placed & { readonly weights: Weights } {
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

function packPanels(
  { inner, columns, order }: Layer,
  { source, tapOffsets, innerStride, columnStride }: Placed,
  width: number,
  [from, to]: readonly [number, number],
  packed: Address,
): void {
  harness.run((kernels) =>
    kernels.packPanels({
      source,
      taps: order.length,
      tapOffsets,
      inner,
      innerStride,
      columns,
      columnStride,
      width,
      from,
      to,
      destination: packed,
    }),
  );
}

for (const width of widths) {
  test(`packPanels: panels of ${width} columns, packed as a whole or by two workers`, () => {
    fc.assert(
      fc.property(layers, fc.nat({ max: 5 }), (layer, split) => {
        const { weights, ...placed } = place(layer);
        const expected = panels(weights, layer.order.length * layer.inner, layer.columns, width);
        const count = Math.ceil(layer.columns / width);
        const middle = Math.min(split, count);
        const packed = harness.output(expected.byteLength);
        packPanels(layer, placed, width, [middle, count], packed);
        packPanels(layer, placed, width, [0, middle], packed);
        assertSameBits(harness.floats(packed, expected.length), expected, 'panels');
      }),
    );
  });

  // Four columns times four k at a time where the channel axes are exchanged, what is left one by one.
  test(`packPanels: panels of ${width} columns, every number of columns and channels`, () => {
    for (let columns = 1; columns <= 33; columns++) {
      for (let inner = 1; inner <= 13; inner++) {
        for (const exchanged of [false, true]) {
          const layer: Layer = { taps: 2, inner, columns, exchanged, order: [1, 0] };
          const { weights, ...placed } = place(layer);
          const expected = panels(weights, 2 * inner, columns, width);
          const packed = harness.output(expected.byteLength);
          packPanels(layer, placed, width, [0, Math.ceil(columns / width)], packed);
          assertSameBits(harness.floats(packed, expected.length), expected, JSON.stringify(layer));
        }
      }
    }
  });

  test(`packPanels: one worker writes its own panel of ${width} columns alone`, () => {
    for (const exchanged of [false, true]) {
      const columns = 2 * width + 4;
      const layer: Layer = { taps: 2, inner: 5, columns, exchanged, order: [1, 0] };
      const { weights, ...placed } = place(layer);
      const depth = 2 * layer.inner;
      const packed = harness.input(new Float32Array(3 * depth * width).fill(-7));
      const second = packed + depth * width * 4;
      harness.allow(second, depth * width * 4);
      packPanels(layer, placed, width, [1, 2], packed);
      const expected = panels(weights, depth, columns, width).subarray(depth * width, 2 * depth * width);
      assertSameBits(harness.floats(second, depth * width), expected, 'the second panel');
    }
  });
}

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
        kernels.packColumns({
          source,
          segments,
          tapsPerSegment,
          tapOffsets,
          inner,
          innerStride,
          columns,
          columnStride,
          destination: packed,
        }),
      );
      assertSameBits(harness.floats(packed, expected.length), expected, 'columns');
    }),
  );
});
