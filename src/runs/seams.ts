// The seams that a run's config chooses implementations for, and what is derived from their declarations:
// fields of config.json, options, and the checks that hold for both.
import {
  type Choice,
  type Hyperparameter,
  type Hyperparameters,
  numberIn,
  type Values,
} from '../model/hyperparameter.js';
import { objectOf, oneOf, type Place, type Reader } from '../model/jsonReader.js';
import { LIKELIHOODS, type LikelihoodName } from '../model/likelihoods/registry.js';
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
  likelihood: {
    title: 'likelihood',
    describe: 'p(x|z): bernoulli, or gaussian with a fixed --sigma',
    group: 'Objective:',
    implementations: LIKELIHOODS,
    default: 'bernoulli',
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
      'constant; warmup: rises over --warmup-epochs; cosine: then falls to 0 at the end of the epochs',
    group: 'Optimisation:',
    implementations: SCHEDULES,
    default: 'constant',
  },
} as const satisfies Readonly<Record<string, Seam>>;

export type SeamField = keyof typeof SEAMS;

export const SEAM_FIELDS = Object.keys(SEAMS) as readonly SeamField[];

interface SeamNames {
  readonly objective?: ObjectiveName;
  readonly likelihood?: LikelihoodName;
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

/** A field for each hyper-parameter that stands in config.json itself. */
export type HyperparameterField = FieldOf<Declared>;

/** The options that choose implementations and set their hyper-parameters. */
export type SeamOptions = SeamNames & { readonly [F in HyperparameterField]?: number };

/**
 * The fields of config.json: a name where it is not the default, and every hyper-parameter of what is chosen.
 */
export type SeamConfig = SeamOptions & {
  readonly adam?: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };
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
  const asked = hyperparameterFields().flatMap(([key]): [string, unknown][] => {
    const value = (options as Readonly<Record<string, unknown>>)[key];
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries([...fields, ...asked]) as SeamConfig;
}

/** Readers of the fields, all of them optional. */
export function seamReaders(): { readonly [K in keyof SeamConfig]-?: Reader<NonNullable<SeamConfig[K]>> } {
  const readers: Record<string, Reader<unknown>> = {};
  const groups: Record<string, Record<string, Reader<number>>> = {};
  for (const field of SEAM_FIELDS) {
    const { implementations }: Seam = SEAMS[field];
    readers[field] = oneOf(Object.keys(implementations));
    for (const { hyperparameters } of Object.values(implementations)) {
      for (const [key, { range, group }] of Object.entries(hyperparameters)) {
        if (group === undefined) readers[key] = numberIn(range);
        else groups[group] = { ...groups[group], [key]: numberIn(range) };
      }
    }
  }
  for (const [group, members] of Object.entries(groups)) readers[group] = objectOf(members, {});
  return readers as ReturnType<typeof seamReaders>;
}

/**
 * @throws UsageError where a hyper-parameter of what is chosen is missing, or one is there that nothing
 * chosen has.
 */
export function checkSeams(config: SeamConfig, place: Place): void {
  const present = config as Readonly<Record<string, unknown>>;
  const wanted = new Set<string>();
  for (const field of SEAM_FIELDS) {
    const chosen = implementation(field, nameOf(config, field)).hyperparameters;
    for (const [key, { group }] of Object.entries(chosen)) wanted.add(group ?? key);
  }
  for (const key of wanted) if (present[key] === undefined) throw place.key(key).error('is missing');
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

/** The config with every name, defaults too: for comparing two of them. */
export function withAllNames<C extends SeamConfig>(config: C): C & Required<SeamNames> {
  const names = Object.fromEntries(SEAM_FIELDS.map((field) => [field, nameOf(config, field)]));
  return { ...names, ...config, ...names } as C & Required<SeamNames>;
}

/**
 * Hyper-parameters that have a flag and an option, each with the seam and the implementations that declare
 * it.
 */
export function hyperparameterFields(): [HyperparameterField, DeclaredHyperparameter][] {
  const found = new Map<string, DeclaredHyperparameter>();
  for (const field of SEAM_FIELDS) {
    for (const [name, { hyperparameters }] of Object.entries((SEAMS[field] as Seam).implementations)) {
      for (const [key, parameter] of Object.entries(hyperparameters)) {
        if (parameter.group !== undefined) continue;
        const before = found.get(key);
        const defaults = { ...before?.defaults, [name]: parameter.default };
        found.set(key, { ...(before ?? { field, parameter }), defaults });
      }
    }
  }
  return [...found] as [HyperparameterField, DeclaredHyperparameter][];
}

export interface DeclaredHyperparameter {
  readonly field: SeamField;
  /** The hyper-parameter as the first implementation that has it declares it. */
  readonly parameter: Hyperparameter;
  /** By the name of the implementation. */
  readonly defaults: Readonly<Record<string, number>>;
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
