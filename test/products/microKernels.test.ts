import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { TILE_NAMES, TILES } from '#src/kernels/tiles/tile.js';
import { MicroKernels } from '#src/products/microKernels.js';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const kernels = bindKernels(compileKernels('portable'), memory);

for (const name of TILE_NAMES) {
  test(`${name}: filter gradients are computed by tiles of four rows where six would compute a fifth more rows`, () => {
    const microKernels = new MicroKernels(kernels, name);
    const { rows, columns } = TILES[name];
    const four = columns === 16 ? kernels.filterGradient4x16 : kernels.filterGradient4x8;
    const six = columns === 16 ? kernels.filterGradient6x16 : kernels.filterGradient6x8;
    const counts = Array.from({ length: 20 }, (_, i) => i + 1);
    const low = counts.filter((count) => microKernels.filterGradient(count) === four);
    // 12, 12, 18 and 24 rows in place of 8, 8, 16 and 20 are a half, an eighth and a fifth more.
    assert.deepEqual(low, rows === 6 ? [1, 2, 3, 4, 7, 8] : counts);
    const others = counts.filter((count) => !low.includes(count));
    for (const count of others) assert.equal(microKernels.filterGradient(count), six);
  });
}

for (const name of TILE_NAMES) {
  test(`${name}: of the columns behind whole panels, a few go without a panel, in lower tiles the fewer they are`, () => {
    const microKernels = new MicroKernels(kernels, name);
    const { columns: width } = TILES[name];
    const most = width === 16 ? 4 : 2;
    const counts = Array.from({ length: 3 * width }, (_, i) => i + 1);
    const rests = counts.map((count) => microKernels.transposedRest(count, 16));
    assert.deepEqual(
      rests,
      counts.map((count) => (count % width <= most ? count % width : 0)),
    );
    const chosen = [1, 2, 3, 4].map((count) => microKernels.gemmTransposed(count));
    const { gemmTransposed2x16: two, gemmTransposed4x8: four } = kernels;
    assert.deepEqual(chosen, [two, two, four, four]);
    // Both tiles need as many columns as they have.
    assert.equal(microKernels.transposedRest(1, 15), 0);
  });
}
