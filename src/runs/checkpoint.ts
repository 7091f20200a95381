// A checkpoint is one safetensors file: the parameters, the optimizer's state, and in the metadata all that a
// run needs to go on with the same bits. Any program that reads safetensors can use it.
import { createHash } from 'node:crypto';
import { NotFiniteError, UsageError } from '../errors.js';
import type { ParameterEntry, ParameterLayout } from '../model/model.js';
import { stateTensors } from '../optimizer/updateRule.js';
import { writeFileAtomic } from './atomicFile.js';
import { modelOfConfig } from './configModel.js';
import { parseRunConfigText, type RunConfig } from './runConfig.js';
import { encodeSafetensors, readCheckedSafetensors, type Safetensors, type Tensor } from './safetensors.js';
import { type Header, quote, shapeText } from './safetensorsHeader.js';
import { choiceOf } from './seams.js';
import { buffersOf, notFiniteTensor, PARAMETERS, type TrainingState } from './trainingState.js';

export interface Checkpoint extends TrainingState {
  readonly config: RunConfig;
  /** Optimizer steps taken. */
  readonly step: number;
  /** The running sums of the epoch under way, kept to the last bit; any number may be NaN or infinite. */
  readonly epochSums: Readonly<Record<string, number>>;
}

const formatVersion = '1';

/** SHA-256 in hex of the flat buffer's bytes: the identity of a model in every promise about equal bits. */
export function parameterHash(parameters: Float32Array): string {
  return createHash('sha256').update(parameters).digest('hex');
}

/** A checkpoint as the bytes of its file; they share nothing with the buffers of the run. */
export interface EncodedCheckpoint {
  readonly bytes: Uint8Array;
  readonly parametersSha256: string;
}

/** @throws NotFiniteError where a number of the state is NaN or infinite. */
export function encodeCheckpoint(checkpoint: Checkpoint): EncodedCheckpoint {
  const { config, step, epochSums } = checkpoint;
  const layout = layoutOf(config);
  const tensors = splitTensors(checkpoint, layout);
  const bad = notFiniteTensor(checkpoint, layout);
  if (bad !== undefined) throw new NotFiniteError(`After step ${step} ${bad}.`);
  const parametersSha256 = parameterHash(checkpoint.parameters);
  const metadata = new Map([
    ['formatVersion', formatVersion],
    ['step', String(step)],
    ['epochSums', encodeSums(epochSums)],
    ['seed', config.seed],
    ['arithmetic', config.arithmetic],
    ['config', JSON.stringify(config)],
    ['parametersSha256', parametersSha256],
  ]);
  metadata.set('stateSha256', stateHash({ tensors, metadata }));
  return { bytes: encodeSafetensors({ tensors, metadata }), parametersSha256 };
}

/**
 * Writes `checkpoint` to `path`, in place of what is there or not at all.
 *
 * The buffers may be shared with workers: they are copied before this function returns its promise, so
 * workers have to stand still for the call but not for the promise.
 *
 * @returns the hash of the parameters.
 * @throws NotFiniteError where a number of the state is NaN or infinite.
 * @throws UsageError where the file cannot be written.
 */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<string> {
  const { bytes, parametersSha256 } = encodeCheckpoint(checkpoint);
  await writeFileAtomic(path, bytes);
  return parametersSha256;
}

/**
 * @throws UsageError where the file cannot be read, is no checkpoint, is one of a newer version, has tensors
 * that its model does not have or lacks some, has any bit changed since it was written, or holds a NaN or an
 * infinity.
 */
export function loadCheckpoint(path: string): Checkpoint {
  // All that the header tells comes first: a file of gigabytes may be another program's.
  const { file, checked } = readCheckedSafetensors(path, (header) => modelIn(header, path));
  const { config, layout } = checked;
  const text = (key: string) => metadataText(file.metadata, key, path);
  const state = joinTensors(file.tensors, layout, bufferNames(config));
  requireHash('the parameters', text('parametersSha256'), parameterHash(state.parameters), path);
  requireHash('the file as a whole', text('stateSha256'), stateHash(file), path);
  const bad = notFiniteTensor(state, layout);
  if (bad !== undefined) {
    throw new UsageError(
      `${path}: ${bad}. Training had diverged when it was saved: use an earlier checkpoint, or train anew with a ` +
        'smaller learning rate.',
    );
  }
  return {
    config,
    step: parseStep(text('step'), path),
    epochSums: parseSums(text('epochSums'), path),
    ...state,
  };
}

const advice = 'The file is damaged or was changed; use another checkpoint.';

type Metadata = Safetensors['metadata'];

function metadataText(metadata: Metadata, key: string, path: string): string {
  const value = metadata.get(key);
  if (value === undefined) throw new UsageError(`${path}: the metadata "${key}" is missing. ${advice}`);
  return value;
}

/** The config in a header, whose tensors are those of its model. */
function modelIn(
  { tensors, metadata }: Header,
  path: string,
): { readonly config: RunConfig; readonly layout: ParameterLayout } {
  const config = configIn(metadata, path);
  const layout = layoutIn(config, path);
  requireTensors(new Map(tensors.map((info) => [info.name, info])), config, layout, path);
  return { config, layout };
}

/** @throws UsageError with the path, where the shapes of the model do not fit each other. */
function layoutIn(config: RunConfig, path: string): ParameterLayout {
  try {
    return layoutOf(config);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${path}: the metadata "config" has no possible model. ${error.message}`, {
      cause: error,
    });
  }
}

function configIn(metadata: Metadata, path: string): RunConfig {
  requireVersion(metadata.get('formatVersion'), path);
  return parseRunConfigText(metadataText(metadata, 'config', path), `${path}: the metadata "config"`);
}

function layoutOf(config: RunConfig): ParameterLayout {
  return modelOfConfig(config).parameters;
}

function splitTensors(state: TrainingState, layout: ParameterLayout): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [group, buffer] of buffersOf(state)) {
    if (buffer.length !== layout.size) {
      throw new Error(`The buffer ${group} has ${buffer.length} floats, but the model has ${layout.size}.`);
    }
    for (const { name, shape, offset, size } of layout.entries) {
      const data = buffer.subarray(offset, offset + size);
      tensors.set(`${group}/${name}`, { dtype: 'F32', shape, data });
    }
  }
  return tensors;
}

/** Called with the tensors that requireTensors has found to be there. */
function joinTensors(
  tensors: ReadonlyMap<string, Tensor>,
  layout: ParameterLayout,
  buffers: readonly string[],
): TrainingState {
  const [parameters, ...optimizerState] = buffers.map((key) => {
    const buffer = new Float32Array(layout.size);
    for (const { name, offset } of layout.entries) {
      buffer.set(tensors.get(`${key}/${name}`)!.data as Float32Array, offset);
    }
    return [key, buffer] as const;
  });
  return { parameters: parameters![1], optimizerState: new Map(optimizerState) };
}

type FoundTensor = Pick<Tensor, 'dtype' | 'shape'>;

/** Each tensor that the model has must be there, and no other. */
function requireTensors(
  tensors: ReadonlyMap<string, FoundTensor>,
  config: RunConfig,
  { entries }: ParameterLayout,
  path: string,
): void {
  const model = config.model.name;
  const wanted = new Set<string>();
  for (const group of bufferNames(config)) {
    for (const entry of entries) {
      const name = `${group}/${entry.name}`;
      requireTensor(name, tensors.get(name), entry, model, path);
      wanted.add(name);
    }
  }
  for (const [name, { shape }] of tensors) {
    if (wanted.has(name)) continue;
    throw new UsageError(
      `${path}: the tensor ${quote(name)} of shape ${shapeText(shape)} is not one of the model "${model}". ${advice}`,
    );
  }
}

/** The names of a run's flat buffers, in the order of buffersOf. */
function bufferNames(config: RunConfig): string[] {
  const { emaDecay = 0 } = config;
  return [PARAMETERS, ...stateTensors({ optimizer: choiceOf(config, 'optimizer'), emaDecay })];
}

function requireTensor(
  name: string,
  tensor: FoundTensor | undefined,
  { shape }: ParameterEntry,
  model: string,
  path: string,
): void {
  const expected = `the model "${model}" has it as F32 of shape ${shapeText(shape)}`;
  if (tensor === undefined) {
    throw new UsageError(`${path}: the tensor "${name}" is missing; ${expected}. ${advice}`);
  }
  if (tensor.dtype !== 'F32' || `${tensor.shape}` !== `${shape}`) {
    const found = `${tensor.dtype} of shape ${shapeText(tensor.shape)}`;
    throw new UsageError(`${path}: the tensor "${name}" is ${found}, but ${expected}. ${advice}`);
  }
}

/**
 * SHA-256 in hex over every metadata text and every tensor, in the order of their names, so that the same
 * content has the same hash in whatever order a program wrote it.
 */
function stateHash({ tensors, metadata }: Safetensors): string {
  const hash = createHash('sha256');
  for (const [key, text] of inOrder(metadata)) {
    if (key !== 'stateSha256') hash.update(`${JSON.stringify([key, text])}\n`);
  }
  for (const [name, { dtype, shape, data }] of inOrder(tensors)) {
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`).update(data);
  }
  return hash.digest('hex');
}

/** By code units, like every comparison of strings; Map keys are unique. */
function inOrder<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function requireVersion(found: string | undefined, path: string): void {
  if (found === formatVersion) return;
  if (found === undefined) {
    throw new UsageError(
      `${path} is a safetensors file, but not a checkpoint of lowerbound: its metadata has no formatVersion.`,
    );
  }
  throw new UsageError(
    `${path} is a checkpoint of formatVersion ${quote(found)}, but this lowerbound reads "${formatVersion}". ` +
      'Use the version of lowerbound that wrote it.',
  );
}

function requireHash(what: string, stored: string, computed: string, path: string): void {
  if (stored === computed) return;
  throw new UsageError(
    `${path}: the SHA-256 of ${what} is ${computed}, but ${quote(stored)} was stored with it. ${advice}`,
  );
}

function parseStep(text: string, path: string): number {
  const step = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(step)) {
    throw new UsageError(`${path}: the metadata "step" is ${quote(text)}, expected a number of steps.`);
  }
  return step;
}

/** JSON has no words for these four; its own numbers come back as the same doubles. */
const notInJson = new Map<string, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

function encodeSums(sums: Readonly<Record<string, number>>): string {
  const encode = (value: number) =>
    [...notInJson].find(([, special]) => Object.is(special, value))?.[0] ?? value;
  return JSON.stringify(
    Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, encode(value)])),
  );
}

function parseSums(text: string, path: string): Record<string, number> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const decode = (value: unknown) => (typeof value === 'string' ? notInJson.get(value) : value);
  const sums = Object.entries(json ?? {}).map(([name, value]) => [name, decode(value)] as const);
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  if (!isObject || sums.some(([, value]) => typeof value !== 'number')) {
    throw new UsageError(
      `${path}: the metadata "epochSums" is ${quote(text)}, expected an object of numbers.`,
    );
  }
  return Object.fromEntries(sums) as Record<string, number>;
}
