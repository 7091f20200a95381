// Before the first step processes compare what they are about to do: with other versions, options or data
// their sums would be no sums of one run.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { datasetFingerprint } from '../data/fingerprint.js';
import type { Dataset } from '../data/source.js';
import { UsageError } from '../errors.js';
import { parseRunConfig, type RunConfig } from '../runs/runConfig.js';
import { RefusedTogether } from './joinProcesses.js';
import type { TrainOptions } from './trainOptions.js';

/** What a process says of itself. */
type Introduction =
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'ready';
      readonly host: string;
      /** What must be equal in all processes, by its name for people. */
      readonly traits: Readonly<Record<string, string>>;
      /** Of the first process alone. */
      readonly config?: RunConfig;
    };

/** What a process has made ready on its own. */
export interface Prepared {
  readonly dataset: Dataset;
  /** Given by the first process. */
  readonly config?: RunConfig | undefined;
}

/**
 * Tells the others what this process is about to do, and hears what they are.
 * @param prepare makes ready what this process needs; what it throws as a UsageError refuses the run for all.
 * @returns what was prepared, and the config of the first process.
 * @throws RefusedTogether in all processes where one of them refuses or differs.
 */
export async function introduce<P extends Prepared>(
  group: ProcessGroup,
  options: TrainOptions,
  prepare: () => Promise<P>,
): Promise<{ readonly prepared: P; readonly config: RunConfig }> {
  const own = await attempt(prepare);
  const introduction: Introduction =
    'refusal' in own
      ? { kind: 'refused', message: own.refusal.message }
      : {
          kind: 'ready',
          host: hostname(),
          traits: traitsOf(options, own.prepared.dataset),
          ...(own.prepared.config && { config: own.prepared.config }),
        };
  const texts = await group.gatherTexts(JSON.stringify(introduction), Number.POSITIVE_INFINITY);
  const all = texts.map((text) => JSON.parse(text) as Introduction);
  const { process: number } = group.place;
  const refusing = all.findIndex(({ kind }) => kind === 'refused');
  if (refusing >= 0) {
    await group.leave();
    const { message } = all[refusing] as Extract<Introduction, { kind: 'refused' }>;
    throw new RefusedTogether(message, number !== refusing);
  }
  const introductions = all as Extract<Introduction, { kind: 'ready' }>[];
  const difference = differenceOf(introductions);
  if (difference !== undefined) {
    await group.leave();
    throw new RefusedTogether(difference, number !== 0);
  }
  if ('refusal' in own) throw own.refusal;
  const config = parseRunConfig(introductions[0]!.config, 'The config of process 0');
  return { prepared: own.prepared, config };
}

async function attempt<P>(
  prepare: () => Promise<P>,
): Promise<{ readonly prepared: P } | { readonly refusal: UsageError }> {
  try {
    return { prepared: await prepare() };
  } catch (error) {
    if (error instanceof UsageError) return { refusal: error };
    throw error;
  }
}

/** Options that may differ: they decide how a process computes, not what. */
const OWN_OPTIONS: ReadonlySet<string> = new Set<keyof TrainOptions>([
  ...(['workers', 'tile', 'revectorize', 'barrierTimeout', 'mpi', 'mpiLibrary', 'worldSize'] as const),
  ...(['data', 'out', 'resume', 'pictures', 'preview', 'logEvery', 'keepCheckpoints'] as const),
  ...(['checkpointEvery', 'signal', 'onEvent', 'hooks'] as const),
]);

function traitsOf(options: TrainOptions, dataset: Dataset): Readonly<Record<string, string>> {
  const manifest = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
  const given = Object.entries(options).filter(
    ([name, value]) => !OWN_OPTIONS.has(name) && value !== undefined,
  );
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  const test = datasetFingerprint({ train: dataset.test });
  return {
    'the version of lowerbound': manifest.version,
    'the version of Node': process.version,
    'the training images (their SHA-256)': datasetFingerprint(dataset),
    'the test images (their SHA-256)': test,
    'the options': JSON.stringify(Object.fromEntries(given.sort()), text),
  };
}

/** A sentence on the first process that differs from process 0; undefined where none does. */
function differenceOf(all: readonly Extract<Introduction, { kind: 'ready' }>[]): string | undefined {
  const [first] = all;
  for (const [number, { host, traits }] of all.entries()) {
    for (const [what, value] of Object.entries(traits)) {
      const expected = first!.traits[what];
      if (value === expected) continue;
      return (
        `Process ${number} on ${host} differs from process 0 on ${first!.host} in ${what}: ${short(value)}, not ` +
        `${short(expected ?? 'nothing')}. Start all processes alike.`
      );
    }
  }
  return undefined;
}

/** Long options are told by what they begin with and a hash. */
function short(value: string): string {
  if (value.length <= 200) return value;
  return `${value.slice(0, 150)}… (${createHash('sha256').update(value).digest('hex').slice(0, 12)})`;
}
