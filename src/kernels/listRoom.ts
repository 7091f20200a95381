// Room for the lists of assembly/lists.ts, which has their format.

const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Words of a list beside its groups and terms, at most: the number of its groups, and a head and a term of which a list of nothing is made. */
const HEAD = 5;

/** Words of a group's head, and of a term. */
const PAIR = 2;

/** Bytes of a list of listInputs, with a term for each input, at most. */
export function inputListBytes(inputs: number): number {
  return (HEAD + PAIR * inputs) * WORD;
}

/** Bytes of a list of listGradients, with a group for each shard and a term for each example, at most. */
export function gradientListBytes(shards: number, examples: number): number {
  return (HEAD + PAIR * (shards + examples)) * WORD;
}
