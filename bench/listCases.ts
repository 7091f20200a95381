// Products of a dense layer with lists of what is not zero in its input, as a step by the owner-computes rule
// has them of data and behind a ReLU. References are those of correlationCases.ts; lists are verified as
// words.

import { NONE, plus } from '#src/kernels/address.js';
import { gradientListBytes, inputListBytes } from '#src/kernels/listRoom.js';
import { LIST_WIDTHS } from '#src/kernels/tiles/tile.js';
import { UNIT_ROWS } from '#src/kernels/tuning.js';
import { sampleFloats } from '../test/kernels/float32.js';
import { countNonzeros, gradientLists, inputLists, thinned } from '../test/kernels/nonzeroLists.js';
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
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Words of a term. */
const TERM = 2;

/** Lists whatever the share that is not zero. */
const ANY_SHARE = 1;

/** A layer whose input has many zeros. */
export interface SparsePlace extends Place {
  /** Share of the input that is not zero. */
  readonly density: number;
}

/**
 * The cases of a dense layer, with all examples of a step on one rank. A layer too narrow for the lists of
 * some tile has none.
 */
export function listCases(place: SparsePlace, shards: number): KernelCase[] {
  if (place.layer.small[2] < Math.max(...LIST_WIDTHS)) return [];
  const gradients = gradientCases(place, shards);
  // What a ReLU leaves is too much for lists of a forward pass.
  return place.inputGradient ? gradients : [...forwardCases(place), ...gradients];
}

/** Where lists of some rows begin, and their words. */
interface Lists {
  readonly address: number;
  readonly words: readonly number[];
}

/** A lister, and the product with its lists. */
interface Listing {
  readonly list: () => void;
  /** Address and words of the room of all lists. */
  readonly lists: number;
  readonly room: number;
  readonly expectedLists: () => readonly Lists[];
  readonly sum: () => void;
  /** Address and number of the product's floats. */
  readonly results: number;
  readonly count: number;
}

interface Product {
  readonly place: SparsePlace;
  readonly word: string;
  /** What else matters, behind the extents. */
  readonly detail?: string;
  /** The kernel that lists. */
  readonly lister: 'listInputs' | 'listGradients';
  /** What is listed, a float for each term that there may be. */
  readonly input: Float32Array;
  readonly reference: () => Bounded;
  readonly prepare: (bench: Workbench) => Listing;
}

/** A case for the lister, and one for the product. */
function productCases({
  place,
  word,
  detail = '',
  lister,
  input,
  reference,
  prepare,
}: Product): KernelCase[] {
  const terms = countNonzeros(input);
  const shape = `${describe(place, word)}${detail}, ${Math.round(100 * place.density)} % not zero`;
  return [
    {
      kernel: lister,
      model: place.model,
      shape,
      work: { unit: 'bytes', amount: input.length * FLOAT + terms * TERM * WORD },
      prepare: (bench) => prepareLister(bench, prepare(bench), shape),
    },
    {
      kernel: 'sumRows',
      model: place.model,
      shape,
      work: { unit: 'operations', amount: 2 * terms * place.layer.small[2] },
      prepare: (bench) => prepareProduct(bench, prepare(bench), reference, shape),
    },
  ];
}

function prepareLister(bench: Workbench, listing: Listing, what: string): PreparedCase {
  const { list, lists, room, expectedLists } = listing;
  return {
    reset: () => bench.floats(lists, room).fill(UNWRITTEN),
    run: list,
    check: () => {
      for (const { address, words } of expectedLists()) {
        assertSame(bench.words(address, words.length), words, `${what}, lists at ${address}`);
      }
    },
  };
}

function prepareProduct(
  bench: Workbench,
  listing: Listing,
  reference: () => Bounded,
  what: string,
): PreparedCase {
  const { list, sum, results, count } = listing;
  return {
    reset: () => {
      list();
      bench.floats(results, count).fill(UNWRITTEN);
    },
    run: sum,
    check: () => assertWithin(bench.floats(results, count), reference(), what),
  };
}

function forwardCases(place: SparsePlace): KernelCase[] {
  const dense = passesOf(place).find(({ word }) => word === 'forward')!;
  const input = thinned(sampleFloats(1, place.images * place.layer.big[2]), place.density, 8);
  const pass = { ...dense, inputs: once(() => ({ ...dense.inputs(), source: input })) };
  return productCases({
    place,
    word: 'forward',
    lister: 'listInputs',
    input,
    reference: once(() => gatherReference(pass)),
    prepare: (bench) => prepareForward(bench, pass),
  });
}

function prepareForward(bench: Workbench, pass: Pass): Listing {
  const { arena, kernels, microKernels } = bench;
  const { layer, images } = pass.place;
  const [inputs, outputs] = [layer.big[2], layer.small[2]];
  const [inputPitch, outputPitch] = [inputs * FLOAT, outputs * FLOAT];
  const results = arena.floats(images * outputs);
  const { source, ...parameters } = pass.inputs();
  const [x, weights] = [bench.place(source), bench.place(parameters.weights)];
  const bias = bench.place(parameters.bias);
  const bytes = images * inputListBytes(inputs);
  const lists = arena.reserve(bytes);
  const relu = usesRelu(pass) ? 1 : 0;
  return {
    list: () =>
      kernels.listInputs({
        x,
        images,
        inputs,
        pitch: inputPitch,
        bias,
        weights,
        weightPitch: outputPitch,
        lists,
        share: ANY_SHARE,
      }),
    lists,
    room: bytes / WORD,
    expectedLists: () => {
      const words = inputLists(source, inputs, bias, { address: weights, pitch: outputPitch }).flat();
      return [{ address: lists, words }];
    },
    // No stack: of one group, no sum waits.
    sum: () =>
      microKernels.sumRows({
        rows: images,
        columns: outputs,
        lists,
        out: results,
        outPitch: outputPitch,
        stack: NONE,
        relu,
      }),
    results,
    count: images * outputs,
  };
}

/**
 * In units, as the owner of a layer computes it; but the lists and the gradient of each go to their own
 * place.
 */
function gradientCases(place: SparsePlace, shards: number): KernelCase[] {
  const input = thinned(sampleFloats(4, place.images * place.layer.big[2]), place.density, 9);
  const inputs = once(() => ({ ...filterInputs(place), big: input }));
  return productCases({
    place,
    word: 'weight gradient',
    detail: `, ${shards} shards`,
    lister: 'listGradients',
    input,
    reference: once(() => filterReference(place, inputs())),
    prepare: (bench) => prepareGradient(bench, place, shards, inputs()),
  });
}

function prepareGradient(
  bench: Workbench,
  { layer, images }: Place,
  shards: number,
  inputs: FilterInputs,
): Listing {
  const { arena, kernels, microKernels } = bench;
  const [rows, columns] = [layer.big[2], layer.small[2]];
  const [bigPitch, smallPitch] = [rows * FLOAT, columns * FLOAT];
  // Before the stack, so that a test that spoils the first word that is written spoils a result.
  const results = arena.floats(rows * columns);
  const [big, small] = [bench.place(inputs.big), bench.place(inputs.small)];
  const examples = shardSizes(images, shards);
  const matrix = { address: small, pitch: smallPitch };
  const table = shardTable(arena, examples, { address: big, pitch: bigPitch }, matrix);
  const zeros = arena.floats(columns);
  const stack = arena.floats(Math.ceil(Math.log2(shards)) * microKernels.listWidth);
  const bytes = gradientListBytes(UNIT_ROWS, shards, images);
  const lists = arena.reserve(Math.ceil(rows / UNIT_ROWS) * bytes);
  arena.materialize(bench.memory.buffer);
  const units = Array.from({ length: Math.ceil(rows / UNIT_ROWS) }, (_, unit) => {
    const row = unit * UNIT_ROWS;
    return { row, height: Math.min(UNIT_ROWS, rows - row), address: plus(lists, unit * bytes) };
  });
  return {
    list: () => {
      for (const { row, height, address } of units) {
        kernels.listGradients({
          rows: height,
          bigOffset: row * FLOAT,
          shards,
          table,
          bigPitch,
          smallPitch,
          zeros,
          lists: address,
          share: ANY_SHARE,
        });
      }
    },
    lists,
    room: (units.length * bytes) / WORD,
    expectedLists: () => {
      const expected = gradientLists(inputs.big, rows, examples, matrix, zeros);
      const end = expected[rows]!;
      return units.map(({ row, height, address }) => ({
        address,
        words: [...expected.slice(row, row + height), end].flat(),
      }));
    },
    sum: () => {
      for (const { row, height, address } of units) {
        const target = plus(results, row * smallPitch);
        microKernels.sumRows({
          rows: height,
          columns,
          lists: address,
          out: target,
          outPitch: smallPitch,
          stack,
          relu: 0,
        });
      }
    },
    results,
    count: rows * columns,
  };
}
