/** What goes wrong on purpose, in tests of the error paths. */
export interface Fault {
  readonly kind: 'throw' | 'exit' | 'stall';
  readonly rank: number;
  readonly step: number;
}

/** Lets it go wrong. */
export function fail({ kind, rank, step }: Fault): void {
  if (kind === 'throw') throw new Error(`Fault on purpose in rank ${rank}, step ${step}.`);
  if (kind === 'exit') process.exit(3);
  for (;;) {
    // Stalls: neither an error nor a barrier.
  }
}
