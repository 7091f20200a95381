// A run and the data that it was started with.
import { MNIST } from '../data/mnist.js';
import type { DataOption } from '../data/registry.js';
import type { RunData } from '../data/source.js';
import { UsageError } from '../errors.js';
import type { MapShape } from '../model/model.js';
import { formatCount } from '../report/quantity.js';
import type { RunConfig } from '../runs/runConfig.js';

/**
 * Whether a run's data have to be given again: without any everything uses MNIST, and a run may have had
 * others.
 */
function needsData(source: string, data: DataOption | undefined): boolean {
  return data === undefined && source !== MNIST;
}

/**
 * @throws UsageError that says what to give, where the run was not trained on MNIST and no data are given.
 */
export function requireOwnData(
  { data: { source } }: Pick<RunConfig, 'data'>,
  path: string,
  data: DataOption | undefined,
): void {
  if (!needsData(source, data)) return;
  throw new UsageError(
    `${path} was started with the data of ${source}, not with MNIST: name them again by the option data (--data).`,
  );
}

/**
 * @param path of the config that the new run starts from.
 * @throws UsageError where the config names other data than MNIST, and no data are given.
 */
export function requireNamedData(source: string, path: string, data: DataOption | undefined): void {
  if (!needsData(source, data)) return;
  throw new UsageError(
    `${path} names the data of ${source}, not MNIST: say by the option data (--data) what the new run is trained on, ` +
      'those or others.',
  );
}

/** For the first lines of a run whose source has no test set. */
export function splitSentence({ name, train, test }: RunData): string {
  const images = test.count === 1 ? 'image is' : `${formatCount(test.count)} images are`;
  return (
    `The data of ${name} have no test set: the last ${images} kept for it and not trained on, ` +
    `which leaves ${formatCount(train.count)}.`
  );
}

/** What a test set is called in an evaluation's protocol. */
export function testSetName({ name, test, testSplitOff }: RunData): string {
  if (!testSplitOff) return name;
  return `${name}, its last ${test.count === 1 ? 'image' : `${formatCount(test.count)} images`}`;
}

/** @throws UsageError where the data's images are not of the shape that the model was trained on. */
export function requireImageSize(config: RunConfig, { name, test }: RunData, path: string): void {
  const { height, width, channels } = test;
  const [trained, found] = [config.model.input!, [height, width, channels] as const].map(shapeText);
  if (trained !== found) {
    throw new UsageError(
      `${path} was trained on images of ${trained}, but those of ${name} are ${found}. ` +
        'Name data of the same shape with --data.',
    );
  }
}

/** Grey images without their one channel: 28×28, but 32×32×3. */
function shapeText([height, width, channels]: MapShape): string {
  return `${height}×${width}${channels === 1 ? '' : `×${channels}`}`;
}
