// The one place where what `data` is becomes a source of images.
import { UsageError } from '../errors.js';
import { arrays } from './arrays.js';
import { CompressedImages } from './idx.js';
import { idxDirectory } from './idxDirectory.js';
import { mnist } from './mnist.js';
import type { DataSource, Dataset, Refuse, RunData } from './source.js';
import { asStored } from './storedImages.js';

const SOURCES = [mnist, idxDirectory, arrays] as const;

type Given<Source> = Source extends DataSource<infer G> ? G : never;

/** What `data` may be; undefined means MNIST. */
export type DataOption = Exclude<Given<(typeof SOURCES)[number]>, undefined>;

/**
 * Checks, before anything is read, that there is a source for `data`, and what that can tell of it.
 * @throws UsageError made by `refuse`.
 */
export function checkData(data: unknown, refuse: Refuse): asserts data is DataOption | undefined {
  sourceOf(data, refuse).check?.(data, refuse);
}

/**
 * Loads the images that `data` names: the path of a directory of IDX files, or images as arrays. Without
 * `data` it loads MNIST, 60,000 and 10,000 images of 28×28. docs/data.md describes each.
 *
 * @throws UsageError if images are missing, if a file or an array is defective, if labels and images differ
 * in number, or if training and test images differ in shape.
 */
export function loadDataset(data?: DataOption): Dataset {
  return checkedSource(data).open(data);
}

/**
 * The same for a run.
 * @param shardData whether the training images stay where they are until the run asks for some.
 * @throws UsageError as loadDataset does, and where single images cannot be read.
 */
export function loadRunData(data: DataOption | undefined, shardData = false): RunData {
  const source = checkedSource(data);
  if (!shardData) return source.open(data);
  if (source.openStored !== undefined) return source.openStored(data);
  const dataset = source.open(data);
  return { ...dataset, train: asStored(dataset.train) };
}

/**
 * The same for work on the test images alone: the training images stay in their file where that is possible,
 * of whatever length it is.
 * @throws UsageError as loadDataset does.
 */
export function loadTestData(data?: DataOption): RunData {
  try {
    return loadRunData(data, true);
  } catch (error) {
    if (!(error instanceof CompressedImages)) throw error;
    return loadDataset(data);
  }
}

function checkedSource(data: DataOption | undefined): DataSource<unknown> {
  const refuse: Refuse = (key, rest) =>
    new UsageError(`loadDataset(): ${key === '' ? 'data' : `data.${key}`} ${rest}.`);
  const source = sourceOf(data, refuse);
  source.check?.(data, refuse);
  return source;
}

function sourceOf(data: unknown, refuse: Refuse): DataSource<unknown> {
  const source = SOURCES.find((candidate) => candidate.takes(data));
  // What a source takes it also checks and opens.
  if (source !== undefined) return source as DataSource<unknown>;
  const expected = SOURCES.map(({ expects }) => expects).filter((text) => text !== undefined);
  throw refuse('', `is ${inWords(data)}, expected ${expected.join(', or ')}`);
}

function inWords(data: unknown): string {
  if (typeof data === 'string') return JSON.stringify(data.length <= 40 ? data : `${data.slice(0, 40)}…`);
  if (Array.isArray(data)) return 'a list';
  return typeof data === 'function' ? 'a function' : String(data);
}
