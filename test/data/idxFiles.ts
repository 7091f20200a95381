import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '#src/errors.js';

/** A new directory, removed when the tests of the file are over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lowerbound-data-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function writeFile(directory: string, name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

/** An IDX file written by the format's definition, without the code under test. */
export function idxBytes(sizes: readonly number[], elements: Uint8Array, type = 0x08): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.set([0, 0, type, sizes.length]);
  sizes.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([header, elements]);
}

/** Images whose pixels count up from `first`, modulo 256. */
export function countingImages(sizes: readonly [number, number, number], first = 0): Buffer {
  const [count, height, width] = sizes;
  return idxBytes(
    sizes,
    Uint8Array.from({ length: count * height * width }, (_, i) => first + i),
  );
}

export interface RandomImages {
  readonly sizes: readonly [number, number, number];
  readonly pixels: Uint8Array;
}

/** Images of any height and width, empty sets excepted. */
export const randomImages: fc.Arbitrary<RandomImages> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain((sizes) => {
    const length = sizes[0] * sizes[1] * sizes[2];
    return fc
      .uint8Array({ minLength: length, maxLength: length, size: 'max' })
      .map((pixels) => ({ sizes, pixels }));
  });

/** Asserts that `act` throws a UsageError of exactly this text. */
export function assertRefused(act: () => unknown, message: string): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof UsageError, `not a UsageError: ${String(error)}`);
    assert.equal(error.message, message);
    return true;
  });
}

export function withBitFlipped(bytes: Uint8Array, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  const index = bit >> 3;
  flipped[index] = flipped[index]! ^ (1 << (bit & 7));
  return flipped;
}
