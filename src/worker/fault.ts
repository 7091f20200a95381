/** What goes wrong on purpose, in tests of the error paths. */
export interface Fault {
  readonly kind: 'throw' | 'exit' | 'stall';
  readonly rank: number;
  readonly step: number;
}
