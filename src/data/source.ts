import type { UsageError } from '../errors.js';

export interface ImageShape {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** 1 for grey images, 3 for colour (red, green, blue); any number trains. */
  readonly channels: number;
}

export interface ImageSet extends ImageShape {
  /** [count, height, width, channels], row-major, 0 black to 255 white. */
  readonly pixels: Uint8Array;
  /** [count]; absent where the set has no labels. Training needs none. */
  readonly labels?: Uint8Array;
}

/** Images that stay where they are until they are asked for. */
export interface StoredImages extends ImageShape {
  /**
   * The pixels of images [first, first + count), [count, height, width, channels], row-major, in memory that
   * is not to be changed.
   * @throws UsageError where they can no longer be read as they were when the set was opened.
   */
  read(first: number, count: number): Uint8Array;
}

/** Training and test images agree in height, width and channels. */
export interface Dataset {
  /** For people. A run knows its data by the fingerprint of the training images (fingerprint.ts). */
  readonly name: string;
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** True where the source has no test set: then the test images were split off the end of its images. */
  readonly testSplitOff?: boolean;
}

/** What a run trains on: the training images in memory, or where they are stored. */
export interface RunData extends Omit<Dataset, 'train'> {
  readonly train: ImageSet | StoredImages;
}

/**
 * The error for what `data` is.
 * @param key of the object that `data` is; empty where `data` itself is wrong.
 * @param rest what follows the name of the place, without the full stop, e.g. `is 5, expected a name`.
 */
export type Refuse = (key: string, rest: string) => UsageError;

/**
 * A kind of place that images come from. `Given` is what `data` (a flag's value, or an option of the library)
 * is for it.
 */
export interface DataSource<Given> {
  /**
   * What errors say that `data` may be, e.g. `the path of a directory of IDX files`; absent where it is
   * nothing at all.
   */
  readonly expects?: string;
  /** Whether `data` means this source: told by its kind alone, before anything is read. */
  takes(data: unknown): data is Given;
  /**
   * Checks all that can be told without reading a file.
   * @throws UsageError made by `refuse`.
   */
  check?(data: Given, refuse: Refuse): void;
  /**
   * Reads the images, of something that was checked. Sizes are checked before memory is taken for them.
   * @throws UsageError for images that are missing, defective or of different shapes.
   */
  open(data: Given): Dataset;
  /**
   * The same without the training images, which are read when they are asked for; absent where all images
   * are in memory anyway.
   * @throws UsageError as `open`, and where single images cannot be read.
   */
  openStored?(data: Given): RunData;
}
