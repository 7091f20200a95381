import type { RunEvent } from './events.js';

/** Hands a run's events to the user's function. Whatever that throws is an error of the run, and never one of a timer. */
export class EventSink {
  readonly #onEvent: ((event: RunEvent) => unknown) | undefined;
  #rejection: Error | undefined;

  constructor(onEvent: ((event: RunEvent) => unknown) | undefined) {
    this.#onEvent = onEvent;
  }

  /** @throws Error, with what the function threw as its cause. */
  readonly tell = (event: RunEvent): void => {
    this.check();
    try {
      const returned = this.#onEvent?.(event);
      // An async function, though none is asked for: its rejection would end the host process.
      if (isThenable(returned)) {
        returned.then(undefined, (reason: unknown) => {
          this.#rejection ??= onEventError(event, reason);
        });
      }
    } catch (error) {
      throw onEventError(event, error);
    }
  };

  /** @throws Error where an asynchronous function has rejected since. */
  check(): void {
    if (this.#rejection !== undefined) throw this.#rejection;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function onEventError({ kind }: RunEvent, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`onEvent threw at the event "${kind}": ${asSentence(reason)}`, { cause });
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
