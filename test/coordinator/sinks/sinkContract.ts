// What every sink keeps, whatever it does with the events of a run: run by sinks.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sink, SinkEvent, StepEvent } from '#src/coordinator/sinks/sink.js';
import type { RunEvent } from '#src/index.js';

export interface SinkCase {
  readonly title: string;
  /** A sink, and what it has taken so far, as the kinds of the events. */
  readonly make: () => { readonly sink: Sink; readonly taken: () => readonly string[] };
  /** The kinds that it takes. */
  readonly kinds: readonly SinkEvent['kind'][];
  /**
   * A sink that cannot do its work, with the cause that its error has to have; absent where nothing can fail.
   */
  readonly failing?: () => { readonly sink: Sink; readonly at: SinkEvent['kind']; readonly cause: unknown };
}

const terms = { elbo: -3, logLikelihood: -2, kl: 1 };

/** A short run, as the sinks are told of it. */
export const events: readonly SinkEvent[] = [
  { kind: 'warning', message: 'A warning.' },
  { kind: 'note', message: 'A note.' },
  step(1),
  step(2),
  { kind: 'progress', epoch: 1, step: 2, examples: 8, seconds: 1, batch: terms },
  { kind: 'checkpoint', step: 2, path: 'run/step-2', sha256: 'ab' },
  { kind: 'evaluating', epoch: 1, step: 2 },
  { kind: 'epoch', epoch: 1, step: 2, train: terms, test: terms, seconds: 1, imagesPerSecond: 8 },
  { kind: 'picture', path: 'run/picture.png', first: true },
  { kind: 'finished', reason: 'done', step: 2 } satisfies RunEvent,
];

function step(number: number): StepEvent {
  return { kind: 'step', epoch: 1, step: number, batch: terms, beta: 1, learningRate: 0.1 };
}

export function testSink(expected: SinkCase): void {
  test(`${expected.title}: takes its events in order, each once, and nothing of the others`, () => {
    const { sink, taken } = expected.make();
    for (const event of events) sink.take(event);
    const own = events.map(({ kind }) => kind).filter((kind) => expected.kinds.includes(kind));
    assert.deepEqual(taken(), own);
  });

  test(`${expected.title}: does not change an event, and does not ask to stop by itself`, () => {
    const { sink } = expected.make();
    for (const event of events) {
      const before = structuredClone(event);
      assert.notEqual(sink.take(freeze(event)), 'stop');
      assert.deepEqual(event, before);
    }
  });

  const { failing } = expected;
  if (failing === undefined) return;
  test(`${expected.title}: its failure is thrown as an Error with its cause, out of take`, () => {
    const { sink, at, cause } = failing();
    const event = events.find(({ kind }) => kind === at)!;
    assert.throws(
      () => sink.take(event),
      (error) =>
        error instanceof Error &&
        (error.cause === cause || (error.cause as NodeJS.ErrnoException).code === cause),
    );
  });
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) freeze(inner as object);
  return Object.freeze(value);
}
