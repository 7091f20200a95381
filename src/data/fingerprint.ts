import { createHash } from 'node:crypto';
import type { RunData, StoredImages } from './source.js';
import { imagePieces, isStored } from './storedImages.js';

/** What is known of stored images: they are as they were when they were opened, and reading takes time. */
const known = new WeakMap<StoredImages, string>();

/**
 * Identity of the training images, by which a resumed run knows its data again: SHA-256 in hex of the
 * plain IDX file that holds them (its header, then the pixels), so that `sha256sum` of that file gives the
 * same. Grey images count as a file of three dimensions, also where theirs has a fourth one of 1.
 */
export function datasetFingerprint({ train }: Pick<RunData, 'train'>): string {
  if (!isStored(train)) return fingerprintOf(train);
  const fingerprint = known.get(train) ?? fingerprintOf(train);
  known.set(train, fingerprint);
  return fingerprint;
}

function fingerprintOf(train: RunData['train']): string {
  const { count, height, width, channels } = train;
  const words = channels === 1 ? [0x0803, count, height, width] : [0x0804, count, height, width, channels];
  const header = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, index) => {
    header.setUint32(4 * index, word);
  });
  const hash = createHash('sha256').update(header);
  for (const pixels of imagePieces(train)) hash.update(pixels);
  return hash.digest('hex');
}
