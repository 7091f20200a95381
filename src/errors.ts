/**
 * What a user can mend: a wrong flag, a bad file, an impossible combination.
 * The command line prints the message alone and leaves with code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
