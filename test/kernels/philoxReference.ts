// Philox4x32-10 as published (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2,
// 3"), one counter at a time, and the order in which the kernels hand its words out.

export type Counter = readonly [number, number, number, number];
export type Key = readonly [number, number];

/** Counter words behind the block: what a row of random numbers is for. */
export interface Stream {
  readonly position: number;
  readonly step: number;
  readonly purpose: number;
}

export function philox4x32(counter: Counter, key: Key): Counter {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(c0, 0xd2511f53);
    const [high1, low1] = multiply(c2, 0xcd9e8d57);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The 64-bit product's halves. */
function multiply(a: number, b: number): [number, number] {
  const product = BigInt(a) * BigInt(b);
  return [Number(product >> 32n), Number(product & 0xffffffffn)];
}

/** The first `count` words of a row: word w of block b is element 16 ⌊b / 4⌋ + 4 w + b mod 4. */
export function rowWords(count: number, key: Key, { position, step, purpose }: Stream): Uint32Array {
  const row = new Uint32Array(Math.ceil(count / 16) * 16);
  for (let block = 0; block < row.length / 4; block++) {
    const first = 16 * Math.floor(block / 4) + (block % 4);
    philox4x32([block, position, step, purpose], key).forEach((word, w) => {
      row[first + 4 * w] = word;
    });
  }
  return row.subarray(0, count);
}
