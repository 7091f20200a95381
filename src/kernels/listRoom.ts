// Room for the lists of assembly/lists.ts, which has their format.

const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Bytes of a group's head, and of a term. */
const PAIR = 2 * WORD;

/** Bytes of a word for each of sixteen rows. */
const LINE = 16 * WORD;

/** Bytes of a list of listInputs, with a term for each input and one for the bias, at most, and of what stands behind the last list. */
export function inputListBytes(inputs: number): number {
  return PAIR * (3 + inputs);
}

/** Bytes of the lists of listGradients, with a head for each shard and a term for each example, at most, and of its scratch memory behind them. */
export function gradientListBytes(rows: number, shards: number, examples: number): number {
  const lists = PAIR * (rows * (1 + shards + examples) + 4);
  const slots = WORD * (shards + 2) + PAIR * (shards + examples);
  const lines = shards + 8 + 2 + Math.ceil((shards + examples) / 32);
  const alignment = 2 * LINE;
  return lists + slots + LINE * lines + alignment;
}
