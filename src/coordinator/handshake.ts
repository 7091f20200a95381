// Before processes share work they compare what they are about to do: with other versions, options or data
// their results would be no results of one run.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, hostname } from 'node:os';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { datasetFingerprint } from '../data/fingerprint.js';
import type { RunData } from '../data/source.js';
import { ToldElsewhere, UsageError } from '../errors.js';
import { parameterHash } from '../runs/checkpoint.js';
import type { TrainOptions } from './trainOptions.js';

/** What must be equal in all processes, by its name for people. */
export type Traits = Readonly<Record<string, string>>;

/** What a process says of itself. */
type Introduction =
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'ready';
      readonly host: string;
      /** That this process may use, and that its machine has. */
      readonly cores: { readonly own: number; readonly machine: number };
      readonly traits: Traits;
      readonly told?: unknown;
    };

/** What a process has made ready on its own. */
export interface Prepared {
  readonly traits: Traits;
  /** What the first process tells the others. */
  readonly told?: unknown;
}

/**
 * Tells the others what this process is about to do, and hears what they are.
 * @param prepare makes ready what this process needs. A UsageError of it refuses the work for all.
 * @returns what was prepared, what the first process tells, and warnings for the user.
 * @throws UsageError in one process, ToldElsewhere in all others, where one of them refuses or differs.
 */
export async function introduce<P extends Prepared>(
  group: ProcessGroup,
  prepare: () => Promise<P>,
): Promise<{ readonly prepared: P; readonly told: unknown; readonly warnings: readonly string[] }> {
  const own = await attempt(prepare);
  const texts = await group.gatherTexts(JSON.stringify(introductionOf(own)), Number.POSITIVE_INFINITY);
  const all = texts.map((text) => JSON.parse(text) as Introduction);
  const refusal = refusalOf(all);
  if (refusal !== undefined) {
    await group.leave();
    const isOwn = refusal.by === group.place.process;
    throw isOwn ? new UsageError(refusal.message) : new ToldElsewhere(refusal.message);
  }
  if ('refusal' in own) throw own.refusal;
  const ready = all as readonly ReadyIntroduction[];
  return { prepared: own.prepared, told: ready[0]!.told, warnings: pinnedWarnings(ready) };
}

/** A launcher may give each process one core, which all of its threads then share. */
function pinnedWarnings(all: readonly ReadyIntroduction[]): string[] {
  const number = all.findIndex(({ cores }) => cores.own === 1 && cores.machine > 1);
  if (number === -1) return [];
  const { host, cores } = all[number]!;
  return [
    `Process ${number} on ${host} may use one of ${cores.machine} cores: its launcher has bound it. Start processes with ` +
      '--bind-to none (mpirun) or --cpu-bind=none (srun).',
  ];
}

type ReadyIntroduction = Extract<Introduction, { kind: 'ready' }>;
type Attempt<P> = { readonly prepared: P } | { readonly refusal: UsageError };

async function attempt<P>(prepare: () => Promise<P>): Promise<Attempt<P>> {
  try {
    return { prepared: await prepare() };
  } catch (error) {
    if (error instanceof UsageError) return { refusal: error };
    throw error;
  }
}

function introductionOf(own: Attempt<Prepared>): Introduction {
  if ('refusal' in own) return { kind: 'refused', message: own.refusal.message };
  const { traits, told } = own.prepared;
  const manifest = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
  const versions = {
    'the version of lowerbound': manifest.version,
    'the version of Node': process.version,
  };
  const cores = { own: availableParallelism(), machine: cpus().length };
  return { kind: 'ready', host: hostname(), cores, traits: { ...versions, ...traits }, told };
}

/** Why the work is refused, and by which process; undefined where all agree. */
function refusalOf(
  all: readonly Introduction[],
): { readonly by: number; readonly message: string } | undefined {
  for (const [by, introduction] of all.entries()) {
    if (introduction.kind === 'refused') return { by, message: introduction.message };
  }
  const difference = differenceOf(all as readonly ReadyIntroduction[]);
  return difference === undefined ? undefined : { by: 0, message: difference };
}

/** A sentence on the first process that differs from process 0; undefined where none does. */
function differenceOf(all: readonly ReadyIntroduction[]): string | undefined {
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

/** Options that may differ: they decide how a process computes or what it writes, and no result. */
const OWN_OPTIONS = [
  ...(['workers', 'tile', 'revectorize', 'barrierTimeout', 'mpi', 'mpiLibrary', 'worldSize'] as const),
  ...(['data', 'shardData', 'out', 'resume', 'pictures', 'preview', 'logEvery', 'keepCheckpoints'] as const),
  ...(['checkpointEvery', 'signal', 'onEvent', 'hooks', 'path', 'onProgress', 'pictured'] as const),
] as const satisfies readonly (keyof TrainOptions | 'path' | 'onProgress' | 'pictured')[];

export function trainTraits(options: TrainOptions, dataset: RunData): Traits {
  return {
    'the training images (their SHA-256)': datasetFingerprint(dataset),
    ...testTraits(dataset),
    ...optionTraits(options, OWN_OPTIONS),
  };
}

/** The same of work on a checkpoint and test images. */
export function checkpointTraits(options: object, parameters: Float32Array, dataset: RunData): Traits {
  return {
    'the parameters (their SHA-256)': parameterHash(parameters),
    ...testTraits(dataset),
    ...optionTraits(options, OWN_OPTIONS),
  };
}

function testTraits({ test }: RunData): Traits {
  return { 'the test images (their SHA-256)': datasetFingerprint({ train: test }) };
}

function optionTraits(options: object, own: readonly string[]): Traits {
  const given = Object.entries(options).filter(
    ([name, value]) => !own.includes(name) && value !== undefined && typeof value !== 'function',
  );
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  return { 'the options': JSON.stringify(Object.fromEntries(given.sort()), text) };
}
