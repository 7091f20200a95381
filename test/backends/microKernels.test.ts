import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MicroKernels } from '#src/backends/simd/microKernels.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { TILE_NAMES, TILES } from '#src/kernels/tiles/tile.js';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const kernels = bindKernels(compileKernels('portable'), memory);

for (const name of TILE_NAMES) {
  test(`${name}: filter gradients of few rows are computed by low tiles of the same width`, () => {
    const microKernels = new MicroKernels(kernels, name);
    const { rows, columns } = TILES[name];
    const low = columns === 16 ? kernels.filterGradient3x16 : kernels.filterGradient3x8;
    const chosen = Array.from({ length: 100 }, (_, i) => i + 1).filter(
      (count) => microKernels.filterGradient(count) === low,
    );
    // Five, six and nine rows suit tiles of six.
    assert.deepEqual(chosen, rows === 6 ? [1, 2, 3] : [1, 2, 3, 5, 6, 9]);
  });
}
