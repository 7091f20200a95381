import type { Flags, FlagValues, ValueFlag } from './flags.js';

/** The argument that a command has beside its flags; it must be given, unless it is optional. */
export type Positionals = Readonly<Record<string, ValueFlag<string> & { readonly optional?: boolean }>>;

type PositionalValues<P extends Positionals> = {
  readonly [K in keyof P]: P[K] extends { readonly optional: true } ? string | undefined : string;
};

export interface Definition<P extends Positionals, F extends Flags> {
  readonly name: string;
  readonly summary: string;
  /** At most one. */
  readonly positionals: P;
  readonly flags: F;
  /** What to type, and what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /**
   * Does the work and returns the exit code. Heavy modules are imported here: `--help` must not wait for
   * them.
   */
  readonly execute: (values: PositionalValues<P> & FlagValues<F>) => Promise<number>;
}

/** A command whose own types are behind it: `execute` takes what its flags have parsed. */
export interface Command extends Omit<Definition<Positionals, Flags>, 'execute'> {
  readonly execute: (values: Readonly<Record<string, unknown>>) => Promise<number>;
}

export function defineCommand<const P extends Positionals, const F extends Flags>(
  definition: Definition<P, F>,
): Command {
  return definition as unknown as Command;
}

/** Only the fields that are given: exact optional properties tell absent from undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
