// Room for the lists of assembly/lists.ts, which has their format.

const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Bytes of a group's head, and of a term. */
const PAIR = 2 * WORD;

/** Bytes of a word for each of the rows that listGradients looks at at once, and where it aligns these. */
const LINE = 16 * WORD;

/**
 * Lines beside those of shards and of marks: numbers of terms; the tree's levels, bytes; two of marks that
 * stay empty.
 */
const OTHER_LINES = 1 + 9 + 2;

/** Pairs that are written at once. */
const AT_ONCE = 4;

/**
 * Bytes of a list of listInputs, with a term for each input and one for the bias, at most, and of a head
 * behind the last list.
 */
export function inputListBytes(inputs: number): number {
  return PAIR * (3 + inputs);
}

/**
 * Bytes of the lists of listGradients, with a head for each shard and a term for each example, at most, and
 * of what it needs behind them meanwhile.
 */
export function gradientListBytes(rows: number, shards: number, examples: number): number {
  const lists = PAIR * (rows * (1 + shards + examples) + AT_ONCE);
  const lines = shards + Math.ceil((shards + examples) / 32) + OTHER_LINES;
  const slots = PAIR * (shards + examples + 1) + WORD * (shards + 1);
  return lists + LINE * (lines + 1) + slots;
}
