import type { RunEvent } from '../events.js';
import type { Sink } from './sink.js';
import { callUserFunction, isThenable } from './userFunction.js';

/** The option `onEvent`: all but the single steps. The run does not wait for what it returns. */
export function callerEvents(onEvent: (event: RunEvent) => unknown): Sink {
  return {
    take(event) {
      if (event.kind === 'step') return undefined;
      const returned = callUserFunction(`onEvent threw at the event "${event.kind}"`, () => onEvent(event));
      // Only a promise's rejection counts: `onEvent` cannot stop a run.
      return isThenable(returned) ? returned.then(() => undefined) : undefined;
    },
  };
}
