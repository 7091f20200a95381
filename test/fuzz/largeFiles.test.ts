// Files of gigabytes that are refused: before they are read, in little memory and time. They are sparse.
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadDataset } from '#src/data/registry.js';
import { UsageError } from '#src/errors.js';
import { loadCheckpoint } from '#src/runs/checkpoint.js';
import { RunDirectory } from '#src/runs/runDirectory.js';
import { idxBytes } from '../data/idxFiles.js';
import { workDirectory } from './workDirectory.js';

/** MiB that a refusal may add to the memory of the process: far less than any of the files has. */
const MOST_MEMORY = 300;
const MOST_SECONDS = 1;
const GIB = 2 ** 30;

function sparse(path: string, head: Uint8Array, bytes: number): void {
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, head);
  ftruncateSync(descriptor, bytes);
  closeSync(descriptor);
}

const header = (...sizes: number[]) => idxBytes(sizes, new Uint8Array(0));

/** `count` images of 1024 × 1024 pixels: a MiB each. */
function images(path: string, count: number): void {
  sparse(path, header(count, 1024, 1024), 16 + count * 2 ** 20);
}

function directoryOf(name: string): string {
  const path = join(workDirectory(), name);
  mkdirSync(path);
  return path;
}

const labels = (count: number) => idxBytes([count], new Uint8Array(count));

/** A header of one tensor, or of none, with that of the file's length. */
function tensorFile(path: string, json: object, dataBytes: number): void {
  const text = Buffer.from(JSON.stringify(json));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  sparse(path, Buffer.concat([prefix, text]), 8 + text.length + dataBytes);
}

const cases: readonly [what: string, sentence: RegExp, prepare: (directory: string) => () => unknown][] = [
  [
    'images of 4 GB whose labels do not match',
    /found 3 labels, expected 4095/,
    (directory) => {
      images(join(directory, 'train-images-idx3-ubyte'), 4095);
      writeFileSync(join(directory, 'train-labels-idx1-ubyte'), labels(3));
      return () => loadDataset(directory);
    },
  ],
  [
    'images of 2 GB and a test set of another shape',
    /found test images of 2 x 2 pixels, expected 1024 x 1024 pixels/,
    (directory) => {
      images(join(directory, 'train-images-idx3-ubyte'), 2048);
      writeFileSync(join(directory, 't10k-images-idx3-ubyte'), idxBytes([1, 2, 2], new Uint8Array(4)));
      return () => loadDataset(directory);
    },
  ],
  [
    'images of 1 GB and a test set whose labels do not match',
    /t10k-labels-idx1-ubyte: found 5 labels, expected 2/,
    (directory) => {
      images(join(directory, 'train-images-idx3-ubyte'), 1024);
      images(join(directory, 't10k-images-idx3-ubyte'), 2);
      writeFileSync(join(directory, 't10k-labels-idx1-ubyte'), labels(5));
      return () => loadDataset(directory);
    },
  ],
  [
    'images of 3 GB, and as many again for the test',
    /found training and test images of 6442450944 bytes in all, expected at most 4294967295/,
    (directory) => {
      images(join(directory, 'train-images-idx3-ubyte'), 3072);
      images(join(directory, 't10k-images-idx3-ubyte'), 3072);
      return () => loadDataset(directory);
    },
  ],
  [
    'an images file of 4 GB for a header of one image',
    /expected the end\. The header and the length of the data disagree/,
    (directory) => {
      sparse(join(directory, 'train-images-idx3-ubyte'), header(1, 2, 2), 4 * GIB);
      return () => loadDataset(directory);
    },
  ],
  [
    'a gzip file of 3 GB for a header of one image',
    /found 3221225472 bytes of gzip data, expected at most 16777239 for the 20 bytes/,
    (directory) => {
      const packed = gzipSync(idxBytes([1, 2, 2], new Uint8Array(4)));
      sparse(join(directory, 'train-images-idx3-ubyte.gz'), packed, 3 * GIB);
      return () => loadDataset(directory);
    },
  ],
  [
    "a tensor file of 4 GB that is another program's",
    /is a safetensors file, but not a checkpoint of lowerbound/,
    (directory) => {
      const path = join(directory, 'model.safetensors');
      tensorFile(path, { w: { dtype: 'F32', shape: [GIB], data_offsets: [0, 4 * GIB] } }, 4 * GIB);
      return () => loadCheckpoint(path);
    },
  ],
  [
    'a tensor file of 2 GB with a header of zeros',
    /expected/,
    (directory) => {
      const path = join(directory, 'zeros.safetensors');
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(50_000_000n);
      sparse(path, prefix, 2 * GIB);
      return () => loadCheckpoint(path);
    },
  ],
  [
    'a config.json of 4 GB',
    /config\.json: found 4294967296 bytes, expected at most 16777216/,
    (directory) => {
      sparse(join(directory, 'config.json'), Buffer.from('{'), 4 * GIB);
      return () => new RunDirectory(directory).readConfig();
    },
  ],
  [
    'a metrics.jsonl of 1 GB',
    /metrics\.jsonl: found 1073741824 bytes, expected at most 268435456/,
    (directory) => {
      sparse(join(directory, 'metrics.jsonl'), Buffer.from('{'), GIB);
      return () => new RunDirectory(directory).truncateMetricsAfter(5);
    },
  ],
];

for (const [index, [what, sentence, prepare]] of cases.entries()) {
  test(`refused before it is read: ${what}`, async () => {
    const act = prepare(directoryOf(`large-${index}`));
    const start = process.cpuUsage();
    await assert.rejects(
      async () => act(),
      (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, sentence);
        return true;
      },
    );
    // The time that counts is that of computing: other tests run at the same time.
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    assert.ok(seconds < MOST_SECONDS, `took ${seconds.toFixed(2)} s`);
    // The most that the process has had so far, whatever was freed since.
    const peak = process.resourceUsage().maxRSS / 1024;
    assert.ok(peak < MOST_MEMORY, `${peak.toFixed(0)} MiB`);
  });
}
