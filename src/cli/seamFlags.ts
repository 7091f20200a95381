// Flags of the seams (runs/seams.ts): one for each choice, one for each hyper-parameter.
import { hyperparameterFields, SEAM_FIELDS, SEAMS, type SeamField, type SeamOptions } from '../runs/seams.js';
import { choice, inGroup, numberIn, type ValueFlag } from './flags.js';

type Group = (typeof SEAMS)[SeamField]['group'];

/** The flags under a heading of the help. */
export function seamFlags(group: Group): Readonly<Record<string, ValueFlag<string | number>>> {
  const flags: Record<string, ValueFlag<string | number>> = {};
  for (const field of SEAM_FIELDS) {
    const seam = SEAMS[field];
    if (seam.group !== group) continue;
    flags[flagOf(field)] = seamFlag(field, seam.default);
  }
  for (const [field, { field: seam, parameter, defaults }] of hyperparameterFields()) {
    if (SEAMS[seam].group !== group) continue;
    const shown = Object.entries(defaults).map(([name, value]) => `${name} ${value}`);
    flags[flagOf(field)] = numberIn(parameter.range, {
      describe: parameter.describe,
      default: `by ${SEAMS[seam].title}: ${shown.join(', ')}`,
    });
  }
  return inGroup(group, flags);
}

/** A choice of one seam. */
export function seamFlag<F extends SeamField>(
  field: F,
  defaultText: string,
): ValueFlag<NonNullable<SeamOptions[F]>> {
  const words = Object.fromEntries(Object.keys(SEAMS[field].implementations).map((name) => [name, name]));
  return choice(words as Readonly<Record<string, NonNullable<SeamOptions[F]>>>, {
    describe: SEAMS[field].describe,
    default: defaultText,
  });
}

/** What was given of them. */
export function seamOptions(values: Readonly<Record<string, unknown>>): SeamOptions {
  const fields = [...SEAM_FIELDS, ...hyperparameterFields().map(([field]) => field)];
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = values[flagOf(field)];
      return value === undefined ? [] : [[field, value]];
    }),
  ) as SeamOptions;
}

/** weightDecay → weight-decay. */
function flagOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
