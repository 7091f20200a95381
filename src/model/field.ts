// A row of the tables of what a run can be told. Flags, options, config.json, the comparison on resume, the
// JSON schemas and docs/options.md are derived from the rows.
import type { JsonReader, Reader } from './jsonReader.js';
import type { ConfigKind, OptionKind } from './valueKind.js';

/** Headings of the help of `train`, in its order. */
export const HELP_GROUPS = [
  ...['Model and data:', 'Objective:', 'Optimisation:', 'Run:', 'Computation:', 'Output:'],
] as const;

export type HelpGroup = (typeof HELP_GROUPS)[number];

/** Something that a run can be told. The flag is the name of the field in kebab case. */
export interface Row<Option = unknown> {
  readonly kind: OptionKind<Option>;
  readonly group: HelpGroup;
  /** What it means: of the help, the schema and the reference page. */
  readonly describe: string;
  /**
   * What holds where nothing is said, in words. `{presets}` stands for the values that the presets recommend.
   */
  readonly default: string;
  /** Another name of the flag: a letter after one dash, or a word after two. */
  readonly alias?: string;
}

/** Something that decides no bit. */
export interface OptionField<Option = unknown> extends Row<Option> {
  /** Whether a run that is resumed may be given it; default: it may. */
  readonly onResume?: 'refused';
}

/** Something that decides the bits of a run: a field of config.json. */
export interface ConfigField<Config = unknown, Option = unknown> extends Row<Option> {
  readonly kind: ConfigKind<Config, Option>;
  /** What holds where neither a user nor the model, the likelihood or the objective says anything. */
  readonly initial?: NoInfer<Config>;
  /**
   * What a config.json without the field means; this value is not written. A row without it must be in every
   * config, so a new row needs it: configs of earlier versions lack the field.
   */
  readonly absent?: NoInfer<Config>;
  /** It has neither a flag nor an option. */
  readonly onlyInConfig?: true;
  /** In a run that is resumed: `kept` refuses another value, `grows` a smaller one. */
  readonly onResume: 'kept' | 'grows' | 'changes';
  /** How `inspect` and the first lines of a run say it; default: name and value. */
  words?(value: NoInfer<Config>): string;
}

/** The fields of config.json that a table has. */
export type ConfigOf<T> = {
  readonly [K in keyof T]: T[K] extends { readonly kind: { readonly json: JsonReader<infer Config> } }
    ? Config
    : never;
};

/** The options that a table has. */
export type OptionsOf<T> = {
  readonly [K in keyof T as T[K] extends { readonly onlyInConfig: true } ? never : K]?: T[K] extends {
    readonly kind: { readonly option: Reader<infer Option> };
  }
    ? Option
    : never;
};

/** A row, with its types. */
export function configField<Config, Option>(field: ConfigField<Config, Option>): ConfigField<Config, Option> {
  return field;
}

/** weightDecay → weight-decay. */
export function flagName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
