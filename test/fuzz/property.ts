// Properties of the readers of input: each is run for a fixed number of cases in `npm test`, and for as long
// as one likes by `npm run test:fuzz`.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UsageError } from '#src/errors.js';

/** The seed of `npm test`. */
export const SEED = 14;

/** Seconds of computing, of all threads of the process, that one case may take. */
const MOST_SECONDS = 1;

/** Longer messages are not read. */
const MOST_CHARACTERS = 5000;

export interface Property {
  readonly name: string;
  /** Cases in `npm test`. */
  readonly cases: number;
  /** @returns what failed, with the smallest case that does; undefined where all cases hold. */
  run(options: RunOptions): Promise<Failure | undefined>;
}

export interface RunOptions {
  readonly seed: number;
  readonly cases: number;
  /** Where a failing case was found: repeats that one. */
  readonly path?: string;
  /** Called after each case with its word: e.g. `accepted`. */
  readonly onCase?: (outcome: string) => void;
}

export interface Failure {
  readonly seed: number;
  readonly path: string;
  readonly report: string;
}

/**
 * @param check returns what became of the case in a word, e.g. `accepted` or `refused`; throws where the
 * property does not hold.
 */
export function property<T>(
  name: string,
  cases: number,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => string | Promise<string>,
): Property {
  return {
    name,
    cases,
    async run({ seed, cases: numRuns, path, onCase }) {
      const timed = fc.asyncProperty(arbitrary, async (value) => {
        const before = process.cpuUsage();
        const outcome = await check(value);
        const { user, system } = process.cpuUsage(before);
        const seconds = (user + system) / 1e6;
        assert.ok(seconds < MOST_SECONDS, `took ${seconds.toFixed(2)} s of computing`);
        onCase?.(outcome);
      });
      const result = await fc.check(timed, { seed, numRuns, ...(path === undefined ? {} : { path }) });
      if (!result.failed) return undefined;
      const failing = fc.stringify(result.counterexample).slice(0, 4000);
      const { errorInstance } = result;
      const error = errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : '';
      const report = `${failing}\n${error}`;
      return { seed: result.seed, path: result.counterexamplePath ?? '', report };
    },
  };
}

/** What an act returned, or the sentence by which it refused. */
export type Outcome<T> =
  | { readonly kind: 'accepted'; readonly value: T }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * @param places one of which the refusal has to name, e.g. a file's path.
 * @throws AssertionError unless `act` succeeds or throws a UsageError that is a sentence for a terminal.
 */
export async function outcomeOf<T>(
  act: () => T | Promise<T>,
  places: readonly string[],
): Promise<Outcome<T>> {
  try {
    return { kind: 'accepted', value: await act() };
  } catch (error) {
    const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
    assert.ok(error instanceof UsageError, `not a UsageError: ${shown.slice(0, 2000)}`);
    assertSentence(error.message, places);
    return { kind: 'refused', message: error.message };
  }
}

/** What a terminal would obey, or show in another order than it was written. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

export function assertSentence(message: string, places: readonly string[]): void {
  assert.ok(message.length <= MOST_CHARACTERS, `${message.length} characters: ${message.slice(0, 500)}`);
  assert.doesNotMatch(message, UNPRINTABLE);
  assert.match(message, /[.?]$/, 'a sentence ends with its full stop');
  assert.match(message, /^\S.* .* /s, 'a sentence has words');
  const unquoted = message.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const careless = /\bundefined\b|\[object |\b(?:expected|of|to) (?:NaN|-?Infinity)\b/;
  assert.doesNotMatch(unquoted, careless, 'says what is meant');
  assert.ok(
    places.some((place) => message.includes(place)),
    `names none of ${places.join(', ')}: ${message}`,
  );
}
