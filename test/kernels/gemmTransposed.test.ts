import { describe, test } from 'node:test';
import { TRANSPOSED_TILE_NAMES, TRANSPOSED_TILES, type TransposedTileName } from '#src/kernels/tiles/tile.js';
import { type ArithmeticMode, modes } from './arithmeticMode.js';
import { type GemmCase, type Operands, operands, sequentialGemm } from './gemmCase.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

interface Subject {
  readonly tile: TransposedTileName;
  readonly mode: ArithmeticMode;
  readonly harness: KernelHarness;
}

/**
 * Floats between the end of a row and the next one's begin: poison in A and B, what must stay in the result.
 */
const GAPS = { a: 1, b: 2, out: 3 };

/** [rows, width] with a gap behind each row. */
function withGaps(
  value: (row: number, k: number) => number,
  rows: number,
  width: number,
  gap: number,
): Float32Array {
  const pitch = width + gap;
  // The harness has poison behind the last row.
  const placed = new Float32Array(rows * pitch - gap).fill(Number.NaN);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < width; k++) placed[row * pitch + k] = value(row, k);
  }
  return placed;
}

function run({ tile, harness }: Subject, { rows, columns, depth }: Shape, { a, b }: Operands): Float32Array {
  harness.reset();
  const placedA = harness.input(withGaps((row, k) => a[row * depth + k]!, rows, depth, GAPS.a));
  const placedB = harness.input(withGaps((column, k) => b[k * columns + column]!, columns, depth, GAPS.b));
  const pitch = (columns + GAPS.out) * FLOAT;
  const out = harness.input(new Float32Array((rows * pitch) / FLOAT).fill(-1));
  for (let row = 0; row < rows; row++) harness.allow(out + row * pitch, columns * FLOAT);
  const [aPitch, bPitch] = [(depth + GAPS.a) * FLOAT, (depth + GAPS.b) * FLOAT];
  harness.run((kernels) =>
    kernels[`gemmTransposed${tile}`]({
      rows,
      columns,
      depth,
      a: placedA,
      aPitch,
      b: placedB,
      bPitch,
      out,
      outPitch: pitch,
    }),
  );
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    result.set(harness.floats(out + row * pitch, columns), row * columns);
  }
  return result;
}

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

function assertBits(subject: Subject, shape: Shape): void {
  const { rows, columns, depth } = shape;
  const seed = 10_000 * rows + 100 * columns + depth;
  const gemm: GemmCase = { rows, columns, segments: [depth], bias: false, relu: false, seed };
  const given = operands(gemm);
  const expected = sequentialGemm(subject.mode, gemm, given);
  assertSameBits(run(subject, shape, given), expected, `${subject.tile}, ${JSON.stringify(shape)}`);
}

for (const mode of modes) {
  for (const tile of TRANSPOSED_TILE_NAMES) {
    describe(`${mode.arithmetic} gemmTransposed${tile}: the bits of a scalar loop`, {
      skip: mode.skip,
    }, () => {
      const subject = { tile, mode, harness: new KernelHarness(undefined, mode.arithmetic) };
      const { rows: height, columns: width } = TRANSPOSED_TILES[tile];

      test('every number of rows and columns at and above the tile, rows below it, too', () => {
        for (let rows = 1; rows <= 2 * height + 1; rows++) {
          for (let columns = width; columns <= 2 * width + 1; columns++) {
            assertBits(subject, { rows, columns, depth: 6 });
          }
        }
      });

      test('every depth', () => {
        for (let depth = 0; depth <= 17; depth++) {
          assertBits(subject, { rows: height + 1, columns: width + 3, depth });
        }
      });
    });
  }
}
