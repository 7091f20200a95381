import { createHash } from 'node:crypto';
import type { Dataset } from './source.js';

/** A hash takes at most 2^31 - 1 bytes at once. */
const PIECE = 2 ** 24;

/**
 * Identity of the training images, by which a resumed run knows its data again: SHA-256 in hex of the
 * plain IDX file that holds them (its header, then the pixels), so that `sha256sum` of that file gives the
 * same. Grey images count as a file of three dimensions, also where theirs has a fourth one of 1.
 */
export function datasetFingerprint({ train }: Pick<Dataset, 'train'>): string {
  const { count, height, width, channels } = train;
  const words = channels === 1 ? [0x0803, count, height, width] : [0x0804, count, height, width, channels];
  const header = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, index) => {
    header.setUint32(4 * index, word);
  });
  const hash = createHash('sha256').update(header);
  for (let start = 0; start < train.pixels.length; start += PIECE) {
    hash.update(train.pixels.subarray(start, start + PIECE));
  }
  return hash.digest('hex');
}
