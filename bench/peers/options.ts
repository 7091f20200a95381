import { parseArgs } from 'node:util';
import { UsageError } from '#src/errors.js';
import { CASES, type Case, caseNamed } from './cases.js';

export interface PeersOptions {
  readonly cases: readonly Case[];
  /** Peers by the beginnings of their names; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly rounds: number;
  /** The JSON file. */
  readonly out: string;
}

export const USAGE = `Times the same step in PyTorch, JAX, jax-js, tfjs and lowerbound, side by side (docs/peers.md).

  --case NAME    one of ${CASES.map(({ name }) => name).join(', ')}; may be repeated; default: all
  --only NAME    peers whose name begins so, e.g. pytorch or jax-1; may be repeated; default: all. lowerbound always runs
  --rounds N     measurements of about a second each, per peer; default 7
  --out FILE     all figures as JSON; default build/peers.json
  --help`;

/** The options, or undefined where help is asked for. @throws UsageError for what it does not understand. */
export function parseOptions(args: readonly string[]): PeersOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const rounds = Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) {
    throw new UsageError(`--rounds is ${values.rounds}: expected a whole number from 1 up.`);
  }
  return { cases: values.case?.map(caseNamed) ?? CASES, only: values.only, rounds, out: values.out };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        case: { type: 'string', multiple: true },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string', default: '7' },
        out: { type: 'string', default: 'build/peers.json' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} --help lists the options.`);
  }
}
