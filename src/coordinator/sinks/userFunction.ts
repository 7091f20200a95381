/**
 * Calls a function of the user.
 * @param what names the call in the error's sentence, e.g. `The hook onEpoch`.
 * @returns what it returns; a promise rejects with the same error as below.
 * @throws Error with what the function threw as its cause.
 */
export function callUserFunction(what: string, call: () => unknown): unknown {
  let returned: unknown;
  try {
    returned = call();
  } catch (error) {
    throw userError(what, error);
  }
  // Where nobody looked at it, its rejection would end the host process.
  if (!isThenable(returned)) return returned;
  return returned.then(undefined, (reason: unknown) => {
    throw userError(what, reason);
  });
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function userError(what: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`${what}: ${asSentence(reason)}`, { cause });
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
