// The engine reserves as much as products by lists of nonzeros need where nothing is zero, and where
// everything is.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OwnerScratch } from '#src/backends/simd/ownerUpdate.js';
import { type Address, NONE } from '#src/kernels/address.js';
import { Arena } from '#src/kernels/arena.js';
import { TILE_NAMES, type TileName } from '#src/kernels/tiles/tile.js';
import { UNIT_ROWS } from '#src/kernels/tuning.js';
import type { CorrelationLayer } from '#src/model/model.js';
import { resolveModel } from '#src/model/resolve.js';
import { planDenseScratch } from '#src/products/densePasses.js';
import { MicroKernels } from '#src/products/microKernels.js';
import { Tensor } from '#src/products/tensor.js';
import { KernelHarness } from '../kernels/kernelHarness.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const INPUTS = 51;
const OUTPUTS = 84;

/** The whole input is listed. */
const ANY_SHARE = 1;

/** What was asked for, without the slack and the alignment that hide a word too few. */
class RecordingArena extends Arena {
  readonly #sizes = new Map<number, number>();

  override reserve(bytes: number): Address {
    const address = super.reserve(bytes);
    this.#sizes.set(address, bytes);
    return address;
  }

  sizeAt(address: number): number {
    const bytes = this.#sizes.get(address);
    if (bytes === undefined) throw new Error(`Nothing was reserved at ${address}.`);
    return bytes;
  }
}

function denseLayer(): CorrelationLayer {
  const model = resolveModel({
    name: 'dense',
    input: [1, INPUTS, 1],
    latent: 3,
    encoder: [{ type: 'flatten' }, { type: 'dense', units: OUTPUTS }, { type: 'dense', units: 'posterior' }],
    decoder: [{ type: 'dense', units: 'pixels' }],
  });
  const layer = model.encoder.find(({ kind }) => kind === 'correlation');
  assert.ok(layer?.kind === 'correlation' && layer.big[2] === INPUTS && layer.small[2] === OUTPUTS);
  return layer;
}

const layer = denseLayer();
const harness = new KernelHarness(2 ** 20);

describe('room for lists of nonzeros', () => {
  for (const value of [1, 0]) {
    for (const panelWidth of [8, 16] as const) {
      test(`of data, all ${value}, panels of ${panelWidth}`, () => {
        const images = 7;
        const arena = new RecordingArena(0);
        const scratch = planDenseScratch({ arena, layers: [layer], images, panelWidth, dataInputs: INPUTS });
        harness.reset();
        const x = harness.input(new Float32Array(images * INPUTS).fill(value));
        const lists = harness.output(arena.sizeAt(scratch.lists));
        // Nothing is computed: addresses alone of the bias and the weights.
        harness.run((kernels) => {
          const terms = kernels.listInputs({
            x,
            images,
            inputs: INPUTS,
            pitch: INPUTS * FLOAT,
            bias: NONE,
            weights: NONE,
            weightPitch: OUTPUTS * FLOAT,
            lists,
            share: ANY_SHARE,
          });
          assert.equal(terms, value * images * INPUTS);
        });
      });
    }

    for (const tile of TILE_NAMES) {
      // The shards of a batch, with three rows for each example in the layer, as in a decoder with three
      // samples.
      const cases = [[1], [1, 1], [4, 4, 4, 3, 4, 4, 4, 3], [1, 0, 2, 0, 0, 1, 3], [0, 0, 5]];
      for (const shards of cases) {
        test(`of a unit's gradients, all ${value}, tile ${tile}, shards of ${shards}`, () => {
          gradientsInRoom(tile, value, shards, 3);
        });
      }
    }
  }
});

/** Runs what the owner of a unit runs, in arrays of exactly the sizes that its scratch has. */
function gradientsInRoom(tile: TileName, value: number, shards: readonly number[], scale: number): void {
  const batchSize = shards.reduce((sum, n) => sum + n, 0);
  const arena = new RecordingArena(0);
  const [input, output] = [Tensor.of(layer.input), Tensor.of(layer.output)];
  const layers = [{ layer, input, output, density: 0.5, scale }];
  const prior = { offset: 0, size: 0 };
  const scratch = new OwnerScratch({ arena, tile, shards: shards.length, batchSize, layers, prior });
  harness.reset();
  const [bigPitch, smallPitch] = [INPUTS * FLOAT, OUTPUTS * FLOAT];
  const examples = batchSize * scale;
  const big = harness.input(new Float32Array(examples * INPUTS).fill(value));
  const small = harness.input(new Float32Array(examples * OUTPUTS).fill(1));
  const table = harness.u32(
    shards.flatMap((n, i) => {
      const first = shards.slice(0, i).reduce((sum, m) => sum + m, 0) * scale;
      return [big + first * bigPitch, small + first * smallPitch, n * scale * smallPitch];
    }),
  );
  const zeros = harness.input(new Float32Array(arena.sizeAt(scratch.zeros) / FLOAT));
  const [lists, stack, gradient] = [scratch.lists, scratch.stack, scratch.gradient].map((address) =>
    harness.output(arena.sizeAt(address)),
  ) as [Address, Address, Address];
  harness.run((kernels) => {
    const terms = kernels.listGradients({
      rows: UNIT_ROWS,
      bigOffset: 0,
      shards: shards.length,
      table,
      bigPitch,
      smallPitch,
      zeros,
      lists,
      share: ANY_SHARE,
    });
    assert.equal(terms, value * UNIT_ROWS * examples);
    const { sumRows } = new MicroKernels(kernels, tile);
    sumRows({
      rows: UNIT_ROWS,
      columns: OUTPUTS,
      lists,
      out: gradient,
      outPitch: smallPitch,
      stack,
      relu: 0,
    });
  });
  const sums = harness.floats(gradient, UNIT_ROWS * OUTPUTS);
  // Black rows read the zeros; small integers have exact sums.
  assert.ok(sums.every((sum) => sum === value * examples));
}
