import { describe, test } from 'node:test';
import fc from 'fast-check';
import { plus } from '#src/kernels/address.js';
import { TILE_NAMES, TILES, type TileName } from '#src/kernels/tiles/tile.js';
import { modes } from './arithmeticMode.js';
import { sampleFloats } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

interface TreeCase {
  readonly rows: number;
  readonly columns: number;
  /** Examples of each shard. */
  readonly shards: readonly number[];
  readonly seed: number;
}

/** Floats of poison behind each example. */
const GAP = 3;

/** Floats of an example of the big map before those of the gradient's rows. */
const OFFSET = 2;

/** Both maps, [examples, rows] and [examples, columns], in the memory. */
function placeMaps(harness: KernelHarness, { rows, columns, shards, seed }: TreeCase) {
  const examples = shards.reduce((sum, n) => sum + n, 0);
  const place = (width: number, salt: number) => {
    const pitch = width + GAP;
    const values = sampleFloats(seed + salt, examples * pitch);
    for (let i = 0; i < examples; i++) values.fill(Number.NaN, i * pitch + width, (i + 1) * pitch);
    return { address: harness.input(values), pitch: pitch * 4 };
  };
  return { big: place(rows, 0), small: place(columns, 1) };
}

function firsts(shards: readonly number[]): number[] {
  return shards.map((_, i) => shards.slice(0, i).reduce((sum, n) => sum + n, 0));
}

/** The kernel under test. */
function atOnce(harness: KernelHarness, tile: TileName, tree: TreeCase): Float32Array {
  harness.reset();
  const { rows, columns, shards } = tree;
  const { big, small } = placeMaps(harness, tree);
  const first = firsts(shards);
  const table = harness.u32(
    shards.flatMap((n, i) => [
      big.address + first[i]! * big.pitch - OFFSET * 4,
      small.address + first[i]! * small.pitch,
      n * small.pitch,
    ]),
  );
  const zeros = harness.input(new Float32Array(TILES[tile].columns));
  const gradient = harness.output(rows * columns * 4);
  const levels = Math.ceil(Math.log2(shards.length)) + 1;
  const stack = harness.output(levels * TILES[tile].rows * TILES[tile].columns * 4);
  harness.run((kernels) =>
    kernels[`treeGradient${tile}`]({
      rows,
      columns,
      gradient,
      bigOffset: OFFSET * 4,
      shards: shards.length,
      table,
      bigPitch: big.pitch,
      smallPitch: small.pitch,
      zeros,
      stack,
    }),
  );
  return harness.floats(gradient, rows * columns);
}

/** The definition: each shard's gradient in a slot of its own, then the all-reduce. */
function inSlots(harness: KernelHarness, tile: TileName, tree: TreeCase): Float32Array {
  harness.reset();
  const { rows, columns, shards } = tree;
  const { big, small } = placeMaps(harness, tree);
  const first = firsts(shards);
  const zeros = harness.input(new Float32Array(TILES[tile].columns));
  const pitch = Math.ceil(rows * columns * 4 + 64);
  const slots = harness.output(shards.length * pitch);
  harness.run((kernels) => {
    shards.forEach((n, i) => {
      kernels[`filterGradient${tile}`]({
        rows,
        columns,
        gradient: plus(slots, i * pitch),
        big: plus(big.address, first[i]! * big.pitch),
        bigPixelStride: big.pitch,
        bigLineStride: 0,
        small: plus(small.address, first[i]! * small.pitch),
        smallPixelStride: small.pitch,
        smallLineStride: 0,
        pixels: n,
        lines: 1,
        zeros,
      });
    });
    kernels.treeReduce(slots, pitch, shards.length, rows * columns);
  });
  return harness.floats(slots, rows * columns);
}

const cases: fc.Arbitrary<TreeCase> = fc.record({
  rows: fc.integer({ min: 1, max: 13 }),
  columns: fc.integer({ min: 1, max: 35 }),
  shards: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 17 }),
  seed: fc.nat(),
});

for (const { arithmetic, skip } of modes) {
  describe(`${arithmetic}: dense gradients summed over shards`, { skip }, () => {
    for (const tile of TILE_NAMES) {
      const harness = new KernelHarness(undefined, arithmetic);

      test(`${tile}: the bits of a slot for each shard and the all-reduce, empty shards too`, () => {
        fc.assert(
          fc.property(cases, (tree) => {
            assertSameBits(
              atOnce(harness, tile, tree),
              inSlots(harness, tile, tree),
              `${tile} of ${JSON.stringify(tree)}`,
            );
          }),
        );
      });

      test(`${tile}: every number of shards to 33`, () => {
        for (let n = 1; n <= 33; n++) {
          const shards = Array.from({ length: n }, (_, i) => (i * 7) % 4);
          const tree: TreeCase = { rows: 7, columns: 17, shards, seed: n };
          assertSameBits(atOnce(harness, tile, tree), inSlots(harness, tile, tree), `${tile}, ${n} shards`);
        }
      });
    }
  });
}
