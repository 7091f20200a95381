// A run's directory:
//   config.json                              what decides the bits of the run
//   metrics.jsonl                            one JSON object a line, each with its step
//   checkpoints/step-000001875.safetensors   the last few
//   pictures/
//   lock                                     while a process trains in it: which one
import { closeSync, constants, existsSync, lstatSync, openSync, writeFileSync } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathError, readBytes, readTextFile, withInputFile } from '../data/inputFile.js';
import { UsageError } from '../errors.js';
import { jsonLine } from '../jsonLine.js';
import { isTemporaryFile, writeError, writeFileAtomic } from './atomicFile.js';
import { type Checkpoint, encodeCheckpoint, loadCheckpoint } from './checkpoint.js';
import type { MeanTerms } from './meanTerms.js';
import { parseRunConfigText, type RunConfig } from './runConfig.js';
import { isLockFile } from './runLock.js';

/** A config of the largest model that one trains has some hundred KiB. */
const MOST_CONFIG_BYTES = 2 ** 24;
/** A text of JavaScript has at most 2^29 − 24 characters. */
const MOST_METRICS_BYTES = 2 ** 28;

/** How many checkpoints a run keeps by default. */
export const CHECKPOINTS_KEPT = 3;

/** One line of metrics.jsonl. */
export interface Metrics {
  /** Optimizer steps taken when it was measured. */
  readonly step: number;
  readonly [name: string]: unknown;
}

/** An epoch's line of metrics.jsonl: means over training and test set, nats. */
export interface EpochTerms {
  /** Optimizer steps taken at its end. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly train: MeanTerms;
  readonly test: MeanTerms;
}

export interface FoundCheckpoint {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** Why each newer one was passed over, in sentences. */
  readonly skipped: readonly string[];
}

/** What has to be said where an older checkpoint stands in for newer ones; nothing where it is the newest. */
export function passedOver({ path, checkpoint, skipped }: FoundCheckpoint): string[] {
  if (skipped.length === 0) return [];
  return [...skipped, `An older checkpoint is used in its place: ${path}, of step ${checkpoint.step}.`];
}

export class RunDirectory {
  constructor(readonly path: string) {}

  get configPath(): string {
    return join(this.path, 'config.json');
  }

  get metricsPath(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get checkpointsPath(): string {
    return join(this.path, 'checkpoints');
  }

  get picturesPath(): string {
    return join(this.path, 'pictures');
  }

  checkpointPath(step: number): string {
    return join(this.checkpointsPath, `step-${String(step).padStart(9, '0')}.safetensors`);
  }

  /** @throws UsageError where config.json is missing or is not the config of a run. */
  readConfig(): RunConfig {
    const text = readTextFile(this.configPath, MOST_CONFIG_BYTES, 'the config of a run is small');
    return parseRunConfigText(text, this.configPath);
  }

  /** For what writes checkpoints and pictures. A kill right after config.json was written leaves none. */
  async makeSubdirectories(): Promise<void> {
    for (const path of [this.checkpointsPath, this.picturesPath]) {
      await makeDirectory(path);
      requireNoLink(path, 'put a directory in its place');
    }
  }

  /** Replaces config.json, e.g. when a resumed run has more epochs. */
  async writeConfig(config: RunConfig): Promise<void> {
    await writeFileAtomic(this.configPath, `${JSON.stringify(config, null, 2)}\n`);
  }

  /** Adds a line to metrics.jsonl; when this returns, a kill of the process does not lose it. */
  appendMetrics(metrics: Metrics): void {
    try {
      appendNoFollow(this.metricsPath, `${jsonLine(metrics)}\n`);
    } catch (error) {
      throw writeError(this.metricsPath, error);
    }
  }

  /** Whether metrics.jsonl has the line of the epoch that ends with `step`. */
  hasEpochMetrics(step: number): boolean {
    return this.metrics().some((line) => line.step === step && line.kind === 'epoch');
  }

  /** The epochs of metrics.jsonl, in its order. What is not a number there (null) becomes NaN. */
  epochTerms(): EpochTerms[] {
    return this.metrics()
      .filter(({ kind }) => kind === 'epoch')
      .map(({ step, epoch, train, test }) => {
        return { step, epoch: numberOf(epoch), train: termsOf(train), test: termsOf(test) };
      });
  }

  /** The lines of metrics.jsonl that are JSON objects with a step, in its order; others are left out. */
  metrics(): Metrics[] {
    return readIfThere(this.metricsPath)
      .split('\n')
      .flatMap((line) => metricsIn(line) ?? []);
  }

  /**
   * Drops the lines of later steps, which a run that goes on from `step` will write again, a last line that
   * was cut off by a kill, and zero bytes, which a loss of power leaves where a file had grown but nothing
   * had been written. What stands before the last line up to `step` was on the disk with the checkpoint.
   *
   * @throws UsageError naming the line, where another line is no JSON object with a step.
   */
  async truncateMetricsAfter(step: number): Promise<void> {
    requireNoLink(this.metricsPath, 'remove the link');
    const text = readIfThere(this.metricsPath);
    const lines = text.split('\n');
    // Behind the last newline: nothing, or a line without its end.
    const last = lines.pop()!;
    const settled = lines.findLastIndex(
      (line) => (metricsIn(line)?.step ?? Number.POSITIVE_INFINITY) <= step,
    );
    const whole = lines.filter((line, index) => {
      if (index > settled && line.includes('\0')) return false;
      const lineStep = metricsIn(line)?.step;
      if (lineStep !== undefined) return lineStep <= step;
      throw new UsageError(
        `${this.metricsPath}, line ${index + 1}: found ${JSON.stringify(line.slice(0, 80))}, expected a JSON object ` +
          'with a step. Mend or remove the line.',
      );
    });
    const lastStep = metricsIn(last)?.step;
    if (lastStep !== undefined && lastStep <= step) whole.push(last);
    const truncated = whole.map((line) => `${line}\n`).join('');
    if (truncated !== text) await writeFileAtomic(this.metricsPath, truncated);
  }

  /**
   * Saves `checkpoint` under its step and removes the oldest ones beyond the last `options.keep` (default 3).
   * The buffers are copied before this function returns its promise.
   *
   * @param options.metricsLost metrics.jsonl could not be written: then it is not asked to reach the disk
   * either.
   * @returns the hash of the parameters.
   */
  async saveCheckpoint(
    checkpoint: Checkpoint,
    options: { readonly keep?: number | undefined; readonly metricsLost?: boolean } = {},
  ): Promise<string> {
    const { step } = checkpoint;
    const { bytes, parametersSha256 } = encodeCheckpoint(checkpoint);
    // First the metrics: once there is a checkpoint, nothing writes the lines up to its step again.
    if (options.metricsLost !== true) await syncIfThere(this.metricsPath);
    await writeFileAtomic(this.checkpointPath(step), bytes);
    await this.#prune(step, options.keep ?? CHECKPOINTS_KEPT);
    return parametersSha256;
  }

  /**
   * The checkpoint of `step`.
   * @throws UsageError as loadCheckpoint does, and where the file is named after another step.
   */
  loadCheckpoint(step: number): Checkpoint {
    return loadNumbered(this.checkpointPath(step), step);
  }

  /**
   * The newest checkpoint that loads, or undefined where none was ever written.
   *
   * @throws UsageError with every reason, where there are some but none loads.
   */
  async latestCheckpoint(): Promise<FoundCheckpoint | undefined> {
    const skipped: string[] = [];
    for (const step of await this.checkpointSteps()) {
      const path = this.checkpointPath(step);
      try {
        return { path, checkpoint: loadNumbered(path, step), skipped };
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        skipped.push(error.message);
      }
    }
    if (skipped.length === 0) return undefined;
    throw new UsageError(`${this.path}: none of its checkpoints can be used.\n${skipped.join('\n')}`);
  }

  /** Removes what kills have left half-written. Only the process that runs this run may call it. */
  async removeTemporaryFiles(): Promise<void> {
    for (const directory of [this.path, this.checkpointsPath]) {
      const names = await list(directory);
      await Promise.all(
        names.filter(isTemporaryFile).map((name) => rm(join(directory, name), { force: true })),
      );
    }
  }

  /** Steps of the files in checkpoints/, whether they load or not; newest first. */
  async checkpointSteps(): Promise<number[]> {
    const names = await list(this.checkpointsPath);
    return (
      names
        .map((name) => ({ name, step: Number(/^step-(\d{9,})\.safetensors$/.exec(name)?.[1]) }))
        // What a run would not write itself, e.g. with digits beyond a double's, is not its file.
        .filter(
          ({ name, step }) => Number.isSafeInteger(step) && name === basename(this.checkpointPath(step)),
        )
        .map(({ step }) => step)
        .sort((a, b) => b - a)
    );
  }

  /**
   * Counts only what is not newer than the one just saved: newer ones are leftovers that did not load, and
   * must not push out those that do.
   */
  async #prune(saved: number, keep: number): Promise<void> {
    const steps = await this.checkpointSteps();
    const old = steps.filter((step) => step <= saved).slice(keep);
    // What cannot be removed, such as a directory of that name, does not undo what was saved.
    await Promise.allSettled(old.map((step) => rm(this.checkpointPath(step), { force: true })));
  }
}

/**
 * Makes the directory of a new run, with its config.
 *
 * @throws UsageError where `path` holds another run or other files, or cannot be written.
 */
export async function createRunDirectory(path: string, config: RunConfig): Promise<RunDirectory> {
  const names = await makeDirectory(path);
  if (names.includes('config.json')) {
    throw new UsageError(
      `${path} holds a run already. Continue that run with --resume ${path}, or name another directory for a new one.`,
    );
  }
  // A kill before the config was in place leaves a half-written config behind and no run.
  if (!names.every((name) => isTemporaryFile(name) || isLockFile(name))) {
    throw new UsageError(
      `${path} is not empty, and what it holds is not a run. Name a new or an empty directory; ` +
        'to continue a run, name its directory with --resume.',
    );
  }
  return fill(new RunDirectory(path), config);
}

/**
 * Makes the directory `<root>/<model>-<n>` of a new run, with the first n from 1 that is free. Runs that
 * start at the same time get different ones.
 */
export async function createNumberedRunDirectory(root: string, config: RunConfig): Promise<RunDirectory> {
  await makeDirectory(root);
  for (let n = 1; ; n++) {
    const path = join(root, `${config.model.name}-${n}`);
    try {
      await mkdir(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw writeError(path, error);
    }
    return fill(new RunDirectory(path), config);
  }
}

/**
 * Opens the directory of an earlier run, to read it: nothing is written. Before a run goes on, see
 * makeSubdirectories.
 *
 * @throws UsageError where it holds none.
 */
export async function openRunDirectory(path: string): Promise<RunDirectory> {
  const directory = new RunDirectory(path);
  const names = await readdir(path).catch((error: unknown) => {
    throw pathError(path, error);
  });
  if (!names.includes('config.json')) {
    throw new UsageError(
      `${path} holds no run: it has no config.json. Name the directory that a run was started in.`,
    );
  }
  return directory;
}

/** The config comes first: a kill after it leaves a run that can be resumed, one before it nothing. */
async function fill(directory: RunDirectory, config: RunConfig): Promise<RunDirectory> {
  await directory.writeConfig(config);
  await directory.makeSubdirectories();
  return directory;
}

/**
 * With its parents, where they are missing.
 *
 * @returns what the directory holds.
 * @throws UsageError where the system refuses.
 */
export async function makeDirectory(path: string): Promise<string[]> {
  try {
    await mkdir(path, { recursive: true }).catch((error: unknown) => throwPlainly(path, error));
    return await readdir(path);
  } catch (error) {
    throw writeError(path, error);
  }
}

/**
 * Node's recursive mkdir says ENOENT for a read-only file system. A plain mkdir of the first directory that
 * is missing throws what the system really says.
 */
async function throwPlainly(path: string, error: unknown): Promise<never> {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
    let missing = resolve(path);
    while (!existsSync(dirname(missing)) && dirname(missing) !== missing) missing = dirname(missing);
    await mkdir(missing);
  }
  throw error;
}

async function list(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw pathError(path, error);
  }
}

function readIfThere(path: string): string {
  if (!existsSync(path)) return '';
  return withInputFile(path, (descriptor, size) => {
    if (size > MOST_METRICS_BYTES) {
      throw new UsageError(
        `${path}: found ${size} bytes, expected at most ${MOST_METRICS_BYTES}. Move the file away: the run goes on without ` +
          'the lines in it.',
      );
    }
    // A kill may have cut its last line within a character.
    return Buffer.from(readBytes(descriptor, 0, size)).toString();
  });
}

/** @throws UsageError where `path` is a symbolic link, with what to do. */
function requireNoLink(path: string, advice: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new UsageError(
    `${path} is a symbolic link. A run does not write through links in its directory: ${advice}.`,
  );
}

/**
 * At the end of the file, which is made where there is none. A link in its place is not followed.
 * @throws what the system says.
 */
function appendNoFollow(path: string, text: string): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0 } = constants;
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o666);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

async function syncIfThere(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    await file.sync().finally(() => file.close());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw writeError(path, error);
  }
}

function loadNumbered(path: string, step: number): Checkpoint {
  const checkpoint = loadCheckpoint(path);
  if (checkpoint.step !== step) {
    throw new UsageError(
      `${path}: the checkpoint is of step ${checkpoint.step}. Give the file its own name back.`,
    );
  }
  return checkpoint;
}

function termsOf(json: unknown): MeanTerms {
  const { elbo, logLikelihood, kl } = (json ?? {}) as Record<string, unknown>;
  return { elbo: numberOf(elbo), logLikelihood: numberOf(logLikelihood), kl: numberOf(kl) };
}

function numberOf(json: unknown): number {
  return typeof json === 'number' ? json : Number.NaN;
}

/** A line of metrics.jsonl; undefined where it is no JSON object with a step. */
function metricsIn(line: string): Metrics | undefined {
  try {
    const json: unknown = JSON.parse(line);
    const hasStep = typeof json === 'object' && json !== null && 'step' in json;
    return hasStep && Number.isSafeInteger(json.step) ? (json as Metrics) : undefined;
  } catch {
    return undefined;
  }
}
