// Examples that processes share out, by processes that are promises of one thread and share texts alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processRange } from '#src/collective/processPlace.js';
import { type Sharing, sharedOut } from '#src/coordinator/estimatesTogether.js';
import type { EstimatedRange } from '#src/coordinator/inferencePool.js';
import type { PlacedExamples } from '#src/worker/inferenceTask.js';

/** Gathers texts as a ProcessGroup does; `longest` is the longest one of a gathering. */
class Texts {
  longest: number[] = [];
  readonly #processes: number;
  #waiting: { readonly process: number; readonly text: string; readonly take: (all: string[]) => void }[] =
    [];

  constructor(processes: number) {
    this.#processes = processes;
  }

  of(process: number): Sharing {
    const gatherTexts = (text: string) =>
      new Promise<readonly string[]>((take) => {
        this.#waiting.push({ process, text, take });
        if (this.#waiting.length === this.#processes) this.#deliver();
      });
    return { place: { processes: this.#processes, process }, gatherTexts };
  }

  #deliver(): void {
    const all = this.#waiting.sort((a, b) => a.process - b.process);
    this.#waiting = [];
    const texts = all.map(({ text }) => text);
    this.longest.push(Math.max(...texts.map(({ length }) => length)));
    for (const { take } of all) take(texts);
  }
}

const WIDTH = 3;

/** Examples 10, 11, … of WIDTH values, and figures that JSON has no digits for. */
function examplesOf(count: number): PlacedExamples {
  const positions = Array.from({ length: count }, (_, i) => 10 + i);
  return { positions, x: Float32Array.from({ length: count * WIDTH }, (_, i) => i / 7) };
}

function estimate({ positions, x }: PlacedExamples): EstimatedRange {
  const draws = positions.flatMap((position, i) => [
    ...[position / 3, Number.NaN, Number.NEGATIVE_INFINITY, -0],
    x.subarray(i * WIDTH, (i + 1) * WIDTH).reduce((sum, value) => sum + value, 0),
  ]);
  const figures = { 'a.draws': Float64Array.from(draws), 'a.place': Float64Array.from(positions) };
  return { count: positions.length, figures };
}

/** What all processes get; `done` says how many examples a process does. */
async function together(
  processes: number,
  count: number,
  { atOnce, done = () => count }: { atOnce?: number; done?: (process: number) => number } = {},
) {
  const texts = new Texts(processes);
  const found = await Promise.all(
    Array.from({ length: processes }, (_, process) =>
      sharedOut(
        texts.of(process),
        examplesOf(count),
        ({ positions, x }) => {
          const most = Math.min(done(process), positions.length);
          const part = { positions: positions.slice(0, most), x: x.slice(0, most * WIDTH) };
          return Promise.resolve(most === 0 ? { count: 0, figures: {} } : estimate(part));
        },
        atOnce,
      ),
    ),
  );
  return { found, longest: texts.longest };
}

test('all processes get the figures of one, whatever their number and the pieces that they travel in', async () => {
  for (const count of [1, 2, 7]) {
    const expected = estimate(examplesOf(count));
    for (const processes of [1, 2, 3, 5]) {
      for (const atOnce of [1, 4, 10, 1000]) {
        const { found } = await together(processes, count, { atOnce });
        for (const one of found) assert.deepEqual(one, expected, `${count}, ${processes}, ${atOnce}`);
      }
    }
  }
});

test('no message is longer than its limit', async () => {
  const { longest } = await together(3, 40, { atOnce: 12 });
  const [, ...figures] = longest;
  // A third of 12 values, of 8 bytes, in base64.
  assert.equal(Math.max(...figures), Math.ceil((4 * 8) / 3) * 4);
});

test('where a process is stopped, all get the examples before the first one that is missing', async () => {
  const [processes, count] = [3, 7];
  for (const [stopped, most] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [2, 0],
  ] as const) {
    const { found } = await together(processes, count, {
      done: (process) => (process === stopped ? most : count),
    });
    const done = processRange(count, { processes, process: stopped }).first + most;
    const expected = done === 0 ? { count: 0, figures: {} } : estimate(examplesOf(done));
    for (const one of found) assert.deepEqual(one, expected, `process ${stopped} has done ${most}`);
  }
});
