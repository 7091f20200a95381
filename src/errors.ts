import { printable } from './printable.js';

/**
 * An error that a user can mend: a wrong flag, a bad file, an impossible combination.
 * The command line prints the message alone and leaves with code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  /** @param message may quote what a file or a command line has: it is made fit for a terminal. */
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

/**
 * A loss, a parameter, a moment of Adam's or a figure is NaN or infinite: training has diverged. It was
 * neither saved nor printed. The command line leaves with code 1.
 */
export class NotFiniteError extends Error {
  override readonly name = 'NotFiniteError';
}

/**
 * Another process of the same job refuses the work, or has failed in it, and says why. The command line
 * leaves without a word, and with code 0: a launcher that hears of another code may end the other process
 * before it has spoken.
 */
export class ToldElsewhere extends Error {
  override readonly name = 'ToldElsewhere';
}
