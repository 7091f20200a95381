import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileKernels } from '#src/kernels/kernels.js';
import { tilesKeepTheirBits } from '#src/kernels/selfTest/selfTest.js';
import { LIST_WIDTHS, TILE_NAMES, TRANSPOSED_TILE_NAMES } from '#src/kernels/tiles/tile.js';
import { modes } from './arithmeticMode.js';
import { injectFault, RESULT_ARGUMENT } from './faultyEngine.js';

for (const { arithmetic, skip } of modes) {
  test(`${arithmetic}: the kernels keep their bits`, { skip }, () => {
    assert.equal(
      tilesKeepTheirBits(compileKernels(arithmetic), compileKernels(arithmetic, 'first code')),
      true,
    );
  });
}

/** On portable kernels of which one changes a bit after so many calls. */
function selfTestAfter(kernel: Parameters<typeof injectFault>[0], calls: number): boolean {
  const end = injectFault(kernel, calls);
  try {
    return tilesKeepTheirBits(compileKernels('portable'), compileKernels('portable', 'first code'));
  } finally {
    end();
  }
}

for (const tile of TILE_NAMES) {
  for (const kernel of [`gemm${tile}`, `gemmInPlace${tile}`, `treeGradient${tile}`] as const) {
    // The self-test calls each more often, however slow the machine is.
    test(`one changed bit of ${kernel} is noticed`, () => {
      assert.equal(selfTestAfter(kernel, 30), false);
    });
  }
}

const others = [
  ...TILE_NAMES.map((tile) => `filterGradient${tile}` as const),
  ...TRANSPOSED_TILE_NAMES.map((tile) => `gemmTransposed${tile}` as const),
  'gemmDot4' as const,
  ...LIST_WIDTHS.map((width) => `sumRows${width}` as const),
  ...(Object.keys(RESULT_ARGUMENT) as (keyof typeof RESULT_ARGUMENT)[]),
];

for (const kernel of others) {
  test(`one changed bit of ${kernel} is noticed`, () => {
    assert.equal(selfTestAfter(kernel, 30), false);
  });
}

test('the fault of these tests is what the self-test notices', () => {
  assert.equal(selfTestAfter('gemm4x8', Number.POSITIVE_INFINITY), true);
});
