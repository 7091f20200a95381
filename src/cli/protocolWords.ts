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
export function checkpointLines({
  checkpoint,
  step,
  parametersSha256,
  emaDecay,
}: {
  readonly checkpoint: string;
  readonly step: number;
  readonly parametersSha256: string;
  readonly emaDecay?: number;
}): string[] {
  return [
    `Checkpoint     ${checkpoint}, step ${step}`,
    ...(emaDecay === undefined ? [] : [`Parameters     their moving average, decay ${emaDecay}`]),
    `SHA-256        ${parametersSha256}`,
  ];
}
