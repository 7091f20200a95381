// Words that the pages of several commands share.

/** A choice with its numbers: `bernoulli`, or `gaussian, sigma 0.1`. */
export function choiceWords({
  name,
  ...values
}: {
  readonly name: string;
  readonly [hyperparameter: string]: string | number;
}): string {
  return [name, ...Object.entries(values).map(([key, value]) => `${key} ${value}`)].join(', ');
}

/** Lines that say which parameters a figure belongs to. */
export function checkpointLines(checkpoint: string, step: number, parametersSha256: string): string[] {
  return [`Checkpoint     ${checkpoint}, step ${step}`, `SHA-256        ${parametersSha256}`];
}
