// Flags of what a run can be told, from the tables of hyper-parameters and of run options.
import { RUN_OPTIONS, TRAIN_FIELDS } from '../coordinator/runOptions.js';
import type { TrainOptions } from '../coordinator/trainOptions.js';
import { flagName, type HelpGroup, type Row } from '../model/field.js';
import type { FlagKind } from '../model/valueKind.js';
import { defaultWords, HYPERPARAMETERS } from '../runs/hyperparameters.js';
import { SEAM_ROWS } from '../runs/seams.js';
import {
  choice,
  type Flag,
  numberIn,
  path,
  seedNumber,
  switchFlag,
  textLike,
  type ValueFlag,
  wholeNumber,
} from './flags.js';

/** What a command says in other words than the table. */
interface OtherWords {
  readonly describe?: string;
  readonly default?: string;
}

type OptionName = keyof TrainOptions;

/** What a flag gives: a path where the library also takes an object. */
type FlagValue<T> = string extends T ? string : NonNullable<T>;

/** A flag of one option, for a command beside `train`. */
export function optionFlag<N extends OptionName>(
  name: N,
  words: OtherWords,
): ValueFlag<FlagValue<TrainOptions[N]>> {
  const row: Row = { ...HYPERPARAMETERS, ...RUN_OPTIONS }[name];
  return flagOf(name, row, words) as ValueFlag<FlagValue<TrainOptions[N]>>;
}

/** The flags under a heading of the help of `train`; what chooses an implementation comes first. */
export function optionFlags(group: HelpGroup): Readonly<Record<string, Flag>> {
  const rows = TRAIN_FIELDS.filter(([, row]) => row.group === group && row.kind.flag !== undefined);
  const isChoice = ([name]: (typeof rows)[number]) => Object.hasOwn(SEAM_ROWS, name);
  const ordered = [...rows.filter(isChoice), ...rows.filter((row) => !isChoice(row))];
  return Object.fromEntries(
    ordered.map(([name, row]) => [flagName(name), { ...flagOf(name, row, {}), group }]),
  );
}

/** The options that the flags of `train` give. */
export function optionValues(values: Readonly<Record<string, unknown>>): TrainOptions & TextOptions {
  const given = TRAIN_FIELDS.filter(([, { kind }]) => kind.flag !== undefined).flatMap(([name]) => {
    const value = values[flagName(name)];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(given) as TrainOptions & TextOptions;
}

/** A flag gives no object. */
interface TextOptions {
  readonly data?: string;
}

function flagOf(name: string, row: Row, words: OtherWords): Flag {
  const { kind, describe, alias } = row;
  const text = {
    describe: words.describe ?? describe,
    default: words.default ?? defaultWords(name, row.default),
    ...(alias === undefined ? {} : { alias }),
  };
  return FLAGS[kind.flag!.kind](kind.flag as never, text);
}

type FlagText = Parameters<typeof seedNumber>[0];

const FLAGS: {
  readonly [K in FlagKind['kind']]: (flag: Extract<FlagKind, { readonly kind: K }>, text: FlagText) => Flag;
} = {
  whole: ({ least }, text) => wholeNumber(least, text),
  number: ({ range }, text) => numberIn(range, text),
  words: ({ values }, text) => choice(values, text),
  seed: (_, text) => seedNumber(text),
  path: ({ what, words }, text) => path(what, words === undefined ? text : { ...text, words }),
  text: ({ what, pattern }, text) => textLike(pattern, what, text),
  switch: (_, text) => switchFlag(text),
};
