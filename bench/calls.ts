// What a call of a kernel by a record of named arguments costs beyond one by positions
// (docs/decisions/0001-typed-kernels.md): node build/bench/calls.js, after `npm run build && npm run
// build:tests`.

import { addressOf } from '#src/kernels/address.js';
import { nameArguments } from '#src/kernels/bindings.js';
import { compileKernels } from '#src/kernels/kernels.js';

type Positional = (...args: number[]) => void;

const PAGES = 64;
const ROUNDS = 41;
/** Rounds in which the engine optimises. */
const WARM_ROUNDS = 5;
/** Nanoseconds of a round, about. */
const ROUND_TIME = 5e7;

const COLUMNS = 32;
const PITCH = COLUMNS * Float32Array.BYTES_PER_ELEMENT;
const GRADIENT = addressOf(1024);
const BIG = 65536;
const SMALL = addressOf(2 ** 20);

const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
const instance = new WebAssembly.Instance(compileKernels('portable'), { env: { memory } });
const positional = instance.exports.filterGradient4x8 as Positional;
const named = nameArguments(instance).filterGradient4x8;

interface Size {
  readonly rows: number;
  readonly pixels: number;
}

function byPositions({ rows, pixels }: Size, calls: number): void {
  for (let i = 0; i < calls; i++) {
    const big = BIG + (i & 63) * 4;
    positional(rows, COLUMNS, GRADIENT, big, 4 * rows, 0, SMALL, PITCH, 0, pixels, 1, 0);
  }
}

function byNames({ rows, pixels }: Size, calls: number): void {
  for (let i = 0; i < calls; i++) {
    named({
      rows,
      columns: COLUMNS,
      gradient: GRADIENT,
      big: addressOf(BIG + (i & 63) * 4),
      bigPixelStride: 4 * rows,
      bigLineStride: 0,
      small: SMALL,
      smallPixelStride: PITCH,
      smallLineStride: 0,
      pixels,
      lines: 1,
      zeros: addressOf(0),
    });
  }
}

const styles = { positions: byPositions, names: byNames };

/** Nanoseconds of a call, the median over the rounds, of both styles in turn. */
function timeCalls(size: Size): Record<keyof typeof styles, number> {
  const calls = Math.ceil(ROUND_TIME / Math.max(25, size.rows * size.pixels * 8));
  const times = { positions: [] as number[], names: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [style, run] of Object.entries(styles) as [keyof typeof styles, typeof byNames][]) {
      const start = performance.now();
      run(size, calls);
      if (round >= WARM_ROUNDS) times[style].push(((performance.now() - start) / calls) * 1e6);
    }
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
  return { positions: median(times.positions), names: median(times.names) };
}

// A kernel that does nothing; one line of the smallest layer; a block of the smallest layer, the shortest
// call of a cvae step.
for (const size of [
  { rows: 0, pixels: 0 },
  { rows: 3, pixels: 14 },
  { rows: 3, pixels: 168 },
]) {
  const { positions, names } = timeCalls(size);
  console.log(
    `filterGradient4x8, ${size.rows} rows, ${size.pixels} pixels: ` +
      `${positions.toFixed(1)} ns by positions, ${names.toFixed(1)} ns by names`,
  );
}
