import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileKernels } from '#src/kernels/kernels.js';
import { tilesKeepTheirBits } from '#src/kernels/selfTest/selfTest.js';
import { LIST_WIDTHS, TILE_NAMES, TRANSPOSED_TILE_NAMES } from '#src/kernels/tiles/tile.js';
import { modes } from './arithmeticMode.js';
import { injectFault } from './faultyEngine.js';

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
  ...(['columnSums', 'treeReduce', 'reduceAdam', 'adam', 'reduceSgd', 'sgd', 'scaleFloats'] as const),
  ...(['bernoulli', 'gaussianLikelihood', 'gaussianForward', 'gaussianBackward'] as const),
  ...(['gaussianLogRatios', 'gaussianBackwardWeighted', 'scaleRows'] as const),
  ...(['randomBits', 'randomUniform', 'randomNormal', 'binarize'] as const),
  ...(['maxPool', 'averagePool', 'upsample'] as const).flatMap(
    (name) => [`${name}Forward`, `${name}Backward`] as const,
  ),
  ...(['sigmoidArray', 'tanhForward', 'tanhBackward', 'reluForward', 'reluBackward', 'addFloats'] as const),
  ...(['sigmoid', 'leakyRelu', 'gelu', 'silu'] as const).flatMap(
    (name) => [`${name}Forward`, `${name}Backward`] as const,
  ),
];

for (const kernel of others) {
  test(`one changed bit of ${kernel} is noticed`, () => {
    assert.equal(selfTestAfter(kernel, 30), false);
  });
}

test('the fault of these tests is what the self-test notices', () => {
  assert.equal(selfTestAfter('gemm4x8', Number.POSITIVE_INFINITY), true);
});
