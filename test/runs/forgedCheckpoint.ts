// Checkpoints that this version would not write, but an earlier one or another program may have: their hashes
// are right.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { encodeSafetensors, readSafetensors, type Safetensors, type Tensor } from '#src/runs/safetensors.js';

/**
 * Sets element 1 of a tensor in the checkpoint at `path`, and both of its hashes as docs/runs.md describes
 * them.
 */
export function forgeElement(path: string, tensor: string, value: number): void {
  const file = readSafetensors(path);
  file.tensors.get(tensor)!.data[1] = value;
  writeFileSync(path, encodeSafetensors(withHashes(file)));
}

/** The same file with the hashes that its content has. */
export function withHashes({ tensors, metadata }: Safetensors): Safetensors {
  const forged = new Map(metadata);
  const parameters = createHash('sha256');
  // The file keeps the order of the layers.
  for (const [name, { data }] of tensors) if (name.startsWith('parameters/')) parameters.update(data);
  forged.set('parametersSha256', parameters.digest('hex'));
  forged.set('stateSha256', stateHash(tensors, forged));
  return { tensors, metadata: forged };
}

function stateHash(tensors: ReadonlyMap<string, Tensor>, metadata: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [key, text] of inOrder(metadata)) {
    if (key !== 'stateSha256') hash.update(`${JSON.stringify([key, text])}\n`);
  }
  for (const [name, { dtype, shape, data }] of inOrder(tensors)) {
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`).update(data);
  }
  return hash.digest('hex');
}

function inOrder<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Changes one bit in the middle of a file. */
export function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}
