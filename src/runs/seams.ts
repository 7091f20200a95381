// The seams that a run's config chooses implementations for, and what is derived from their declarations:
// fields of config.json, options, and the checks that hold for both.
import type { ConfigField } from '../model/field.js';
import {
  type Choice,
  type Hyperparameter,
  type Hyperparameters,
  numberIn,
  type Values,
} from '../model/hyperparameter.js';
import { described, type JsonReader, type JsonSchema, objectOf, type Place } from '../model/jsonReader.js';
import { LIKELIHOODS, type LikelihoodName } from '../model/likelihoods/registry.js';
import { PRIORS, type PriorName } from '../model/priors/registry.js';
import { oneWord, realNumber, withoutFlag } from '../model/valueKind.js';
import { ESTIMATORS, type EstimatorName, klEstimatesOf } from '../objective/estimators/registry.js';
import { INFERENCES, type InferenceName } from '../objective/inferences/registry.js';
import type { KlEstimate } from '../objective/objective.js';
import { OBJECTIVES, type ObjectiveName } from '../objective/registry.js';
import { OPTIMIZERS, type OptimizerName } from '../optimizer/registry.js';
import { SCHEDULES, type ScheduleName } from '../schedule/registry.js';

interface Implementation {
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
}

/** A choice among the implementations of a registry. */
export interface Seam {
  /** For people. */
  readonly title: string;
  readonly describe: string;
  /** The group of the flags in the help. */
  readonly group: 'Objective:' | 'Optimisation:';
  readonly implementations: Readonly<Record<string, Implementation>>;
  /** What config.json does not mention. */
  readonly default: string;
}

/** By the name of the field in config.json, which is the option's; in kebab case it is the flag's. */
export const SEAMS = {
  objective: {
    title: 'objective',
    describe: 'What is maximised: elbo, or iwae, the importance-weighted bound of --samples draws',
    group: 'Objective:',
    implementations: OBJECTIVES,
    default: 'elbo',
  },
  estimator: {
    title: 'estimator',
    describe:
      "How the encoder's gradient is estimated: reparameterized, score-function (with a baseline from other draws: " +
      'score-function-baseline), sticking-the-landing, doubly-reparameterized (docs/mathematics.md)',
    group: 'Objective:',
    implementations: ESTIMATORS,
    default: 'reparameterized',
  },
  inference: {
    title: 'inference',
    describe:
      'What the decoder is trained on: variational, the draws of the objective; hmc, draws from p(z|x) that HMC makes of ' +
      'them (docs/models.md)',
    group: 'Objective:',
    implementations: INFERENCES,
    default: 'variational',
  },
  likelihood: {
    title: 'likelihood',
    describe: 'p(x|z): bernoulli, or gaussian with a fixed --sigma',
    group: 'Objective:',
    implementations: LIKELIHOODS,
    default: 'bernoulli',
  },
  prior: {
    title: 'prior',
    describe:
      'p(z): standard-normal, or mixture, of --prior-components Gaussians that are learned with the model',
    group: 'Objective:',
    implementations: PRIORS,
    default: 'standard-normal',
  },
  optimizer: {
    title: 'optimizer',
    describe: 'What turns gradients into updates',
    group: 'Optimisation:',
    implementations: OPTIMIZERS,
    default: 'adam',
  },
  learningRateSchedule: {
    title: 'learning-rate schedule',
    describe:
      'constant; warmup: rises over --warmup-epochs; cosine: then falls to 0 at the end of the epochs; stages: falls ' +
      'to a tenth in 8 stages of 1, 3, 9 … 2187 epochs (--stages)',
    group: 'Optimisation:',
    implementations: SCHEDULES,
    default: 'constant',
  },
} as const satisfies Readonly<Record<string, Seam>>;

export type SeamField = keyof typeof SEAMS;

export const SEAM_FIELDS = Object.keys(SEAMS) as readonly SeamField[];

interface SeamNames {
  readonly objective?: ObjectiveName;
  readonly estimator?: EstimatorName;
  readonly inference?: InferenceName;
  readonly likelihood?: LikelihoodName;
  readonly prior?: PriorName;
  readonly optimizer?: OptimizerName;
  readonly learningRateSchedule?: ScheduleName;
}

type ImplementationOf<F extends SeamField> =
  (typeof SEAMS)[F]['implementations'][keyof (typeof SEAMS)[F]['implementations']];
type Declared = { [F in SeamField]: ImplementationOf<F> }[SeamField] extends infer I
  ? I extends { readonly hyperparameters: infer H }
    ? { readonly [K in keyof H]: H[K] }
    : never
  : never;
type FieldOf<H> = H extends Hyperparameters
  ? { [K in keyof H]: H[K] extends { readonly group: string } ? never : K }[keyof H] & string
  : never;

type GroupedOf<H> = H extends Hyperparameters
  ? {
      [K in keyof H]: H[K] extends { readonly group: infer G extends string }
        ? readonly [G, K & string]
        : never;
    }[keyof H]
  : never;

/** Each object of config.json that holds hyper-parameters, with the name of each of them. */
type Grouped = GroupedOf<Declared>;

/** A field for each hyper-parameter that stands in config.json itself. */
export type HyperparameterField = FieldOf<Declared>;

/** The options that choose implementations and set their hyper-parameters. */
export type SeamOptions = SeamNames & { readonly [F in HyperparameterField]?: number };

/**
 * The fields of config.json: a name where it is not the default, and every hyper-parameter of what is chosen.
 */
export type SeamConfig = SeamOptions & {
  readonly [G in Grouped[0]]?: { readonly [K in Extract<Grouped, readonly [G, unknown]>[1]]: number };
};

/** The implementation that a config chooses, with its hyper-parameters. */
export function choiceOf<F extends SeamField>(
  config: SeamConfig,
  field: F,
): Choice<NonNullable<SeamNames[F]>> {
  const name = nameOf(config, field);
  const values: Values = Object.fromEntries(
    Object.entries(implementation(field, name).hyperparameters).map(([key, parameter]) => [
      key,
      valueIn(config, key, parameter) ?? parameter.default,
    ]),
  );
  return { name: name as NonNullable<SeamNames[F]>, values };
}

/** The estimates of the KL that what is chosen can have, the default first. */
export function possibleKl(config: SeamConfig): readonly KlEstimate[] {
  const [objective, estimator, prior] = [
    choiceOf(config, 'objective'),
    choiceOf(config, 'estimator'),
    choiceOf(config, 'prior'),
  ];
  return klEstimatesOf(objective.name, estimator.name, prior.name);
}

/** The choice in words: `AdamW, weightDecay 0.01`. */
export function describeChoice(field: SeamField, { name, values }: Choice): string {
  const numbers = Object.entries(values).map(([key, value]) => `${key} ${value}`);
  return [implementation(field, name).title, ...numbers].join(', ');
}

/**
 * The fields of the config that options ask for: a hyper-parameter that is left open is the saved run's,
 * where that has it, or has its default. Hyper-parameters that nothing chosen has are kept, for checkSeams to
 * refuse.
 */
export function requestedSeams(options: SeamOptions, saved: SeamConfig | undefined): SeamConfig {
  const fields: [string, unknown][] = [];
  for (const field of SEAM_FIELDS) {
    const name = options[field] ?? nameOf(saved ?? {}, field);
    fields.push([field, name === SEAMS[field].default ? undefined : name]);
    const groups = new Map<string, Record<string, number>>();
    for (const [key, parameter] of Object.entries(implementation(field, name).hyperparameters)) {
      const value = saved === undefined ? undefined : valueIn(saved, key, parameter);
      const { group } = parameter;
      if (group === undefined) fields.push([key, value ?? parameter.default]);
      else groups.set(group, { ...groups.get(group), [key]: value ?? parameter.default });
    }
    fields.push(...groups);
  }
  const numbers = Object.keys(SEAM_ROWS).filter((key) => !Object.hasOwn(SEAMS, key));
  const asked = numbers.flatMap((key): [string, unknown][] => {
    const value = (options as Readonly<Record<string, unknown>>)[key];
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries([...fields, ...asked]) as SeamConfig;
}

/** Rows of the table of hyper-parameters: one for each choice, and one for each number. */
export const SEAM_ROWS = seamRows() as {
  readonly [K in keyof SeamOptions]-?: ConfigField<Required<SeamOptions>[K], Required<SeamOptions>[K]>;
} & {
  readonly [K in Exclude<keyof SeamConfig, keyof SeamOptions>]-?: ConfigField<Required<SeamConfig>[K]> & {
    readonly onlyInConfig: true;
  };
};

function seamRows(): Readonly<Record<string, ConfigField>> {
  const rows: Record<string, ConfigField> = {};
  for (const field of SEAM_FIELDS) {
    const { describe, group, implementations, default: usual }: Seam = SEAMS[field];
    const kind = oneWord(Object.keys(implementations));
    rows[field] = { kind, group, describe, default: usual, absent: usual, onResume: 'kept' };
    const numbers = numberRows(field);
    const isHolder = ([, { onlyInConfig }]: (typeof numbers)[number]) => onlyInConfig === true;
    const ordered = [...numbers.filter((row) => !isHolder(row)), ...numbers.filter(isHolder)];
    for (const [key, row] of ordered) rows[key] ??= row;
  }
  return rows;
}

/** The numbers that the implementations of a seam declare, and the objects that hold some of them. */
function numberRows(field: SeamField): [string, ConfigField][] {
  const { title, group, implementations }: Seam = SEAMS[field];
  const holders = Object.entries(implementations).flatMap(([name, { hyperparameters }]) =>
    Object.entries(hyperparameters).map(([key, parameter]) => ({ name, key, parameter })),
  );
  const defaultsOf = (wanted: string) =>
    holders
      .filter(({ key, parameter }) => key === wanted && parameter.group === undefined)
      .map(({ name, parameter }) => `${name} ${parameter.default}`);
  return holders.map(({ name, key, parameter }) => {
    if (parameter.group !== undefined) return [parameter.group, groupRow(name, parameter.group, group)];
    const { describe, range } = parameter;
    const shown = `by ${title}: ${defaultsOf(key).join(', ')}`;
    return [key, { kind: realNumber(range), group, describe, default: shown, onResume: 'kept' }];
  });

  function groupRow(name: string, holder: string, heading: Seam['group']): ConfigField {
    const members = Object.entries(implementations[name]!.hyperparameters).filter(
      ([, parameter]) => parameter.group === holder,
    );
    const readers = members.map(([key, { range, describe }]) => [key, described(numberIn(range), describe)]);
    const json = objectOf(Object.fromEntries(readers) as Record<string, JsonReader<number>>, {});
    const numbers = members.map(([key, parameter]) => `${key} ${parameter.default}`);
    return {
      kind: {
        json,
        ...withoutFlag(json, `an object with ${members.map(([key]) => `\`${key}\``).join(', ')}`),
      },
      group: heading,
      describe: `Constants of ${implementations[name]!.title}`,
      default: numbers.join(', '),
      onlyInConfig: true,
      onResume: 'kept',
    };
  }
}

/**
 * @throws UsageError where a hyper-parameter of what is chosen is missing, or one is there that nothing
 * chosen has.
 */
export function checkSeams(config: SeamConfig, place: Place): void {
  const present = config as Readonly<Record<string, unknown>>;
  for (const key of wantedKeys(config))
    if (present[key] === undefined) throw place.key(key).error('is missing');
  refuseOtherNumbers(config, place);
}

/** @throws UsageError where a hyper-parameter is there that nothing chosen has. */
export function refuseOtherNumbers(config: SeamConfig, place: Place): void {
  const present = config as Readonly<Record<string, unknown>>;
  const wanted = wantedKeys(config);
  for (const field of SEAM_FIELDS) {
    for (const [name, { hyperparameters }] of Object.entries((SEAMS[field] as Seam).implementations)) {
      for (const [key, { group }] of Object.entries(hyperparameters)) {
        const found = group ?? key;
        if (wanted.has(found) || present[found] === undefined) continue;
        const { title } = SEAMS[field];
        throw place
          .key(found)
          .error(
            `is a number of the ${title} ${name}, but the ${title} of this run is ${nameOf(config, field)}: ` +
              `leave it out, or ask for the ${title} ${name}`,
          );
      }
    }
  }
}

/** The fields in which the hyper-parameters of what is chosen stand. */
function wantedKeys(config: SeamConfig): ReadonlySet<string> {
  const chosen = SEAM_FIELDS.map((field) => implementation(field, nameOf(config, field)).hyperparameters);
  return new Set(
    chosen.flatMap((numbers) => Object.entries(numbers).map(([key, { group }]) => group ?? key)),
  );
}

/** The schema of configs in which a seam has this implementation; the default one is not mentioned. */
export function isChosen(field: SeamField, name: string): JsonSchema {
  const named = { properties: { [field]: { const: name } } };
  return name === SEAMS[field].default ? named : { ...named, required: [field] };
}

/** What checkSeams asks of a config, as schemas that must all hold. */
export function seamConditions(): JsonSchema[] {
  const conditions: JsonSchema[] = [];
  const choices = new Map<string, JsonSchema[]>();
  for (const field of SEAM_FIELDS) {
    for (const [name, { hyperparameters }] of Object.entries((SEAMS[field] as Seam).implementations)) {
      const keys = new Set(Object.entries(hyperparameters).map(([key, { group }]) => group ?? key));
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schemas.
      if (keys.size > 0) conditions.push({ if: isChosen(field, name), then: { required: [...keys] } });
      for (const key of keys) choices.set(key, [...(choices.get(key) ?? []), isChosen(field, name)]);
    }
  }
  for (const [key, anyOf] of choices) conditions.push({ dependentSchemas: { [key]: { anyOf } } });
  return conditions;
}

function nameOf(config: SeamConfig, field: SeamField): string {
  return config[field] ?? SEAMS[field].default;
}

function implementation(field: SeamField, name: string): Implementation {
  return (SEAMS[field] as Seam).implementations[name]!;
}

function valueIn(config: SeamConfig, key: string, { group }: Hyperparameter): number | undefined {
  const fields = config as Readonly<Record<string, unknown>>;
  const holder = group === undefined ? fields : fields[group];
  return (holder as Readonly<Record<string, number>> | undefined)?.[key];
}
