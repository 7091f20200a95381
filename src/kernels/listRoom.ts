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

/** Bytes of lists of listGradients, with a group for each shard and a term for each example, at most, and of the marks behind them. */
export function gradientListBytes(rows: number, shards: number, examples: number): number {
  const words = Math.ceil(examples / 32);
  const marks = words * 16 + (words + 1) * PAIR + (shards + words) * 4;
  return (rows * (HEAD + PAIR * (shards + examples)) + marks) * WORD;
}
