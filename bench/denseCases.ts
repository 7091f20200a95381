// The dense layers of a step by the owner-computes rule: forward and input gradient with the weights where
// they stand, weight gradients over all shards. Inputs and references are those of correlationCases.ts.

import { type Address, plus } from '#src/kernels/address.js';
import { UNIT_ROWS } from '#src/kernels/tuning.js';
import { layerMultiplyAdds } from '#src/model/layers/kinds.js';
import {
  type DensePass,
  type DenseScratch,
  denseForwardCopied,
  denseForwardInPlace,
  denseInputGradient,
  planDense,
  planDenseScratch,
} from '#src/products/densePasses.js';
import { Tensor } from '#src/products/tensor.js';
import { sampleFloats } from '../test/kernels/float32.js';
import {
  type Bounded,
  describe,
  type FilterInputs,
  filterInputs,
  filterReference,
  gatherReference,
  type Pass,
  type Place,
  passesOf,
  usesRelu,
} from './correlationCases.js';
import {
  assertSame,
  assertWithin,
  type KernelCase,
  once,
  type PreparedCase,
  UNWRITTEN,
} from './kernelCase.js';
import { shardSizes, shardTable } from './shardTable.js';
import type { Workbench } from './workbench.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** The cases of a dense layer, with all examples of a step on one rank. */
export function denseCases(place: Place, shards: number): KernelCase[] {
  const cases = passesOf(place).flatMap((pass) => {
    const reference = once(() => gatherReference(pass));
    if (pass.word === 'input gradient') return [passCase(pass, reference, 'transposed', inputGradient)];
    return [
      passCase(pass, reference, 'in place', forwardInPlace),
      passCase(pass, reference, 'copied', forwardCopied),
    ];
  });
  const transpositions = place.inputGradient ? transposeCases(place) : [];
  return [...cases, ...fewCases(place), weightGradientCase(place, shards), ...transpositions];
}

/** Examples that no panel is filled with: one number for each tile of gemmTransposed. */
const FEW = [2, 4];

function fewCases(place: Place): KernelCase[] {
  return FEW.flatMap((images) =>
    passesOf({ ...place, images })
      .filter(({ word }) => word === 'input gradient')
      .map((pass) =>
        passCase(
          pass,
          once(() => gatherReference(pass)),
          'by rows of weights',
          inputGradient,
        ),
      ),
  );
}

interface PlacedPass {
  readonly dense: DensePass;
  readonly scratch: DenseScratch;
  /** Address of the bias, or, for an input gradient, of zeros. */
  readonly bias: Address;
}

type Run = (bench: Workbench, pass: Pass, placed: PlacedPass) => void;

const forwardInPlace: Run = (bench, pass, { dense, bias }) =>
  denseForwardInPlace(bench.microKernels, dense, pass.place.images, bias, usesRelu(pass));

const forwardCopied: Run = (bench, pass, { dense, scratch, bias }) =>
  denseForwardCopied(bench.microKernels, dense, scratch, pass.place.images, bias, usesRelu(pass));

const inputGradient: Run = (bench, { place }, { dense, scratch, bias }) =>
  denseInputGradient(bench.microKernels, dense, scratch, place.images, bias);

function passCase(pass: Pass, reference: () => Bounded, how: string, run: Run): KernelCase {
  const { place } = pass;
  return {
    kernel: 'gemm',
    model: place.model,
    shape: `${describe(place, pass.word)}, ${how}`,
    work: { unit: 'operations', amount: 2 * layerMultiplyAdds(place.layer) * place.images },
    prepare: (bench) => preparePass(bench, pass, reference, run),
  };
}

function preparePass(bench: Workbench, pass: Pass, reference: () => Bounded, run: Run): PreparedCase {
  const { place, word } = pass;
  const { layer, images } = place;
  const { arena, panelWidth } = bench;
  const [input, output] = [Tensor.of(layer.input), Tensor.of(layer.output)];
  input.allocate(arena, images);
  output.allocate(arena, images);
  const weights = arena.floats(layer.weights.size);
  const scratch = planDenseScratch({ arena, layers: [layer], images, panelWidth, dataInputs: 0 });
  const plan = { arena, layer, input, output, weights, panelWidth, images, scratch, data: false };
  const dense = planDense(plan);
  const bias = arena.floats(Math.max(layer.bias.size, scratch.pitch / FLOAT));
  arena.materialize(bench.memory.buffer);
  const [from, source, to, target] =
    word === 'forward'
      ? ([input, input.activation, output, output.activation] as const)
      : ([output, output.gradient, input, input.gradient] as const);
  return {
    reset: () => {
      const inputs = pass.inputs();
      bench.floats(source, images * from.size).set(inputs.source);
      bench.floats(weights, layer.weights.size).set(inputs.weights);
      if (word === 'forward') bench.floats(bias, layer.bias.size).set(inputs.bias);
      bench.floats(target, images * to.size).fill(UNWRITTEN);
    },
    run: () => run(bench, pass, { dense, scratch, bias }),
    check: () => assertWithin(bench.floats(target, images * to.size), reference(), describe(place, word)),
  };
}

/**
 * In units, as the owner of a layer computes it; but each goes to its own place, which the owner has read at
 * once by Adam.
 */
function weightGradientCase(place: Place, shards: number): KernelCase {
  const inputs = once(() => filterInputs(place));
  const reference = once(() => filterReference(place, inputs()));
  return {
    kernel: 'treeGradient',
    model: place.model,
    shape: `${describe(place, 'weight gradient')}, ${shards} shards`,
    work: { unit: 'operations', amount: 2 * layerMultiplyAdds(place.layer) * place.images },
    prepare: (bench) => prepareWeightGradient(bench, place, shards, inputs, reference),
  };
}

function prepareWeightGradient(
  bench: Workbench,
  place: Place,
  shards: number,
  inputs: () => FilterInputs,
  reference: () => Bounded,
): PreparedCase {
  const { layer, images } = place;
  const [rows, columns] = [layer.big[2], layer.small[2]];
  const { arena, microKernels } = bench;
  // Before the stack, so that a test that spoils the first word that is written spoils a result.
  const gradient = arena.floats(rows * columns);
  const [big, small] = [bench.place(inputs().big), bench.place(inputs().small)];
  const [bigPitch, smallPitch] = [rows * FLOAT, columns * FLOAT];
  const maps = [
    { address: big, pitch: bigPitch },
    { address: small, pitch: smallPitch },
  ] as const;
  const table = shardTable(arena, shardSizes(images, shards), ...maps);
  const { tile } = microKernels;
  const zeros = arena.floats(tile.columns);
  const stack = arena.floats((Math.ceil(Math.log2(shards)) + 1) * tile.rows * tile.columns);
  arena.materialize(bench.memory.buffer);
  return {
    reset: () => bench.floats(gradient, rows * columns).fill(UNWRITTEN),
    run: () => {
      for (let row = 0; row < rows; row += UNIT_ROWS) {
        const height = Math.min(UNIT_ROWS, rows - row);
        const target = plus(gradient, row * smallPitch);
        const treeGradient = microKernels.treeGradient(height);
        treeGradient({
          rows: height,
          columns,
          gradient: target,
          bigOffset: row * FLOAT,
          shards,
          table,
          bigPitch,
          smallPitch,
          zeros,
          stack,
        });
      }
    },
    check: () => {
      const what = describe(place, 'weight gradient');
      assertWithin(bench.floats(gradient, rows * columns), reference(), what);
    },
  };
}

/**
 * Cases that transpose the output's gradient, and transpose back the input's, which is computed transposed.
 */
function transposeCases(place: Place): KernelCase[] {
  const { model, name, layer, images } = place;
  const [inputs, outputs] = [layer.big[2], layer.small[2]];
  const shared = { kernel: 'transposeMatrix', model };
  return [
    {
      ...shared,
      shape: `${name} output's gradient ${images}×${outputs}`,
      work: { unit: 'bytes', amount: 2 * images * outputs * FLOAT },
      prepare: (bench) => prepareTranspose(bench, place, { rows: images, columns: outputs, from: 'map' }),
    },
    {
      ...shared,
      shape: `${name} input's gradient ${inputs}×${images}`,
      work: { unit: 'bytes', amount: 2 * inputs * images * FLOAT },
      prepare: (bench) =>
        prepareTranspose(bench, place, { rows: inputs, columns: images, from: 'transposed map' }),
    },
  ];
}

interface Transposition {
  readonly rows: number;
  readonly columns: number;
  readonly from: 'map' | 'transposed map';
}

function prepareTranspose(
  bench: Workbench,
  { layer, images }: Place,
  { rows, columns, from }: Transposition,
): PreparedCase {
  const { arena, kernels, panelWidth } = bench;
  const { pitch, transposed } = planDenseScratch({
    arena,
    layers: [layer],
    images,
    panelWidth,
    dataInputs: 0,
  });
  const mapPitch = (from === 'map' ? columns : rows) * FLOAT;
  const map = arena.reserve(images * mapPitch);
  const [source, sourcePitch, target, targetPitch] =
    from === 'map'
      ? ([map, mapPitch, transposed[0], pitch] as const)
      : ([transposed[1], pitch, map, mapPitch] as const);
  const values = sampleFloats(7, rows * columns);
  return {
    reset: () => {
      for (let row = 0; row < rows; row++) {
        const line = values.subarray(row * columns, (row + 1) * columns);
        bench.floats(source + row * sourcePitch, columns).set(line);
      }
      for (let column = 0; column < columns; column++) {
        bench.floats(target + column * targetPitch, rows).fill(UNWRITTEN);
      }
    },
    run: () => kernels.transposeMatrix(source, rows, columns, sourcePitch, target, targetPitch),
    check: () => {
      for (let column = 0; column < columns; column++) {
        const expected = Float32Array.from({ length: rows }, (_, row) => values[row * columns + column]!);
        const what = `transposeMatrix ${rows}×${columns}, column ${column}`;
        assertSame(bench.floats(target + column * targetPitch, rows), expected, what);
      }
    },
  };
}
