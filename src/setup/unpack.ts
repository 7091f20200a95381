import { createWriteStream } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import type { Workshop } from './workshop.js';

/** Libraries of the wheel, and the name by which the linker looks for each. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'libtensorflow_cc.so.2': 'libtensorflow.so',
  'libtensorflow_framework.so.2': 'libtensorflow_framework.so',
};

/** Folders of headers that the binding includes from, below tensorflow/include. */
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/c/', 'tsl/platform/'];

interface Wanted {
  readonly entry: Entry;
  readonly path: string;
}

/**
 * Takes TensorFlow's libraries and headers out of its wheel, into lib and include below `target`.
 * @throws Error where the wheel is damaged or lacks a library.
 */
export async function unpackWheel(workshop: Workshop, wheel: string, target: string): Promise<void> {
  workshop.progress.begin('Unpacking TensorFlow');
  await mkdir(join(target, 'lib'), { recursive: true });
  const zip = await openPromise(wheel, { autoClose: false });
  try {
    const wanted = await wantedOf(zip, target);
    const total = wanted.reduce((bytes, { entry }) => bytes + entry.uncompressedSize, 0);
    let done = 0;
    for (const { entry, path } of wanted) {
      await mkdir(dirname(path), { recursive: true });
      const stream = await zip.openReadStreamPromise(entry);
      stream.on('data', (chunk: Buffer) => {
        done += chunk.length;
        workshop.progress.advance(done, total);
      });
      const options = workshop.signal === undefined ? {} : { signal: workshop.signal };
      await pipeline(stream, createWriteStream(path), options);
    }
  } finally {
    zip.close();
  }
  for (const [file, link] of Object.entries(LIBRARIES)) await symlink(file, join(target, 'lib', link));
}

/** The names in a zip file are checked by its reader: none leads out of the folder. */
async function wantedOf(zip: ZipFile, target: string): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for await (const entry of zip.eachEntry()) {
    const path = placeOf(entry.fileName);
    if (path !== undefined) wanted.push({ entry, path: join(target, path) });
  }
  for (const library of Object.keys(LIBRARIES)) {
    if (!wanted.some(({ path }) => path === join(target, 'lib', library))) {
      throw new Error(`The wheel of TensorFlow lacks ${library}.`);
    }
  }
  return wanted;
}

/** Where a file of the wheel belongs; undefined where it is not needed. */
function placeOf(name: string): string | undefined {
  const library = /^tensorflow\/([^/]+)$/.exec(name)?.[1];
  if (library !== undefined) return Object.hasOwn(LIBRARIES, library) ? join('lib', library) : undefined;
  const header = /^tensorflow\/include\/(.*[^/])$/.exec(name)?.[1];
  return header !== undefined && HEADERS.some((folder) => header.startsWith(folder))
    ? join('include', header)
    : undefined;
}
