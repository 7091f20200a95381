// What every carrier of messages must do, whatever library carries them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ended } from './collectiveContract.js';
import type { WorldScenario } from './worldScenarios.js';

/** How a job of several processes ended. */
export interface JobEnd {
  readonly code: number | null;
  readonly seconds: number;
  /** How a scenario ended in each process; undefined where it did not end. */
  endsOf(scenario: WorldScenario): readonly (Ended | undefined)[];
}

export interface WorldUnderTest {
  readonly title: string;
  /** As the library says of itself. */
  readonly library: string;
  /**
   * Starts processes that run these scenarios one after the other. @param timeLimit of operations,
   * milliseconds.
   */
  run(
    processes: number,
    scenarios: readonly WorldScenario[],
    timeLimit: number,
    isTolerant?: boolean,
  ): Promise<JobEnd>;
  /** Whether processes can go on where one of them has died: jobs are told by `isTolerant`. */
  readonly heals: boolean;
}

const PATIENT = 20_000;

/** Seconds in which a job must end when one of its processes has died. */
const SOON = 10;

/** Scenarios that every number of processes runs, in one job. */
const TOGETHER = [
  ...([
    'ring',
    'tags',
    'gathers',
    'exchanges',
    'overlapping',
    'lateProcess',
    'looks',
    'mistakes',
    'traps',
    'heapHooks',
  ] as const),
] satisfies WorldScenario[];

export function worldContract({ title, library, run, heals }: WorldUnderTest): void {
  describe(title, () => {
    for (const processes of [1, 2, 3]) {
      it(`carries bytes between ${processes} process${processes > 1 ? 'es' : ''}`, async () => {
        const job = await run(processes, TOGETHER, PATIENT);
        assert.equal(job.code, 0);
        const valuesOf = (scenario: WorldScenario) => {
          const ends = job.endsOf(scenario);
          assert.equal(ends.length, processes);
          return ends.map((ended, rank) => returnedBy(ended, `${scenario} in process ${rank}`));
        };
        assert.deepEqual(
          valuesOf('ring'),
          Array.from({ length: processes }, (_, rank) => ({ rank, size: processes, library })),
        );
        for (const scenario of ['tags', 'gathers', 'exchanges', 'overlapping'] as const) valuesOf(scenario);
        for (const value of valuesOf('lateProcess')) {
          const { came, left } = value as { readonly came: number; readonly left: number };
          assert.ok(left >= came, `left ${came - left} ms before the last one had come`);
        }
        for (const longest of valuesOf('looks')) assert.equal(longest, 0.1, 'milliseconds between two looks');
        for (const messages of valuesOf('mistakes')) refusals(messages as string[], processes);
        for (const mode of valuesOf('heapHooks')) assert.equal(mode, 'none');
        for (const message of valuesOf('traps')) assert.equal(message, 'memory access out of bounds');
      });
    }

    it('says that another process is missing when the time limit is over', async () => {
      const job = await run(3, ['absent'], 500);
      const ends = job.endsOf('absent').map((ended, rank) => returnedBy(ended, `process ${rank}`));
      const missing = (rank: number) =>
        `MpiError: Process ${rank} of 3 has waited 0.5 s for a barrier: another process stalls or is gone.`;
      assert.deepEqual(ends, [missing(0), missing(1), 'late']);
    });

    it('ends all processes where one of them aborts', async () => {
      const { code, seconds } = await run(3, ['aborting'], PATIENT);
      assert.notEqual(code, 0);
      assert.ok(seconds < SOON, `${seconds} s`);
    });

    it('ends all processes where one of them is killed', async () => {
      const { code, seconds } = await run(3, ['killed'], PATIENT);
      assert.notEqual(code, 0);
      assert.ok(seconds < SOON, `${seconds} s`);
    });

    const lacks = !heals && 'It ends all processes where one of them dies.';
    it('goes on with those that are left, however many die', { skip: lacks }, async () => {
      const job = await run(4, ['survivors'], PATIENT, true);
      const ends = job.endsOf('survivors');
      assert.deepEqual(
        ends.map((ended) => ended === undefined),
        [true, true, false, true],
      );
      const places = [
        { rank: 1, size: 3 },
        { rank: 0, size: 2 },
        { rank: 0, size: 1 },
      ];
      assert.deepEqual(returnedBy(ends[2], 'process 2'), { heals: true, places });
      assert.ok(job.seconds < SOON, `${job.seconds} s`);
    });
  });
}

function returnedBy(ended: Ended | undefined, where: string): unknown {
  if (ended === undefined) assert.fail(`${where} did not end`);
  if (ended.kind === 'threw') assert.fail(`${where}: ${ended.name}: ${ended.message}`);
  return ended.value;
}

/** The library's own words are behind the first sentence. */
function refusals([send, gather, parts, part, blocks]: readonly string[], processes: number): void {
  assert.match(
    send!,
    new RegExp(`^MpiError: MPI_Isend has failed in process \\d of ${processes}: .*rank.*[^.]\\.$`, 'i'),
  );
  assert.equal(gather, `RangeError: Found 3 bytes, expected ${2 * processes}: ${processes} blocks of 2.`);
  assert.equal(parts, `RangeError: Found 0 parts, expected ${processes}: one a process.`);
  assert.equal(part, 'RangeError: Bytes 0 to 3 are no part of 2 bytes.');
  const found = `Found ${processes + 1} bytes, expected ${processes}`;
  assert.equal(blocks, `RangeError: ${found}: ${processes} blocks of 1.`);
}
