// Lists of what is not zero in a matrix, for sumRows (tiles/source.ts): images are mostly black, a ReLU leaves half of its units, and a
// product with 0 changes no sum.
//
// A row's list, in words of four bytes: the number of its groups; then for each group the number of its terms, and how many of the sums that
// wait it joins when it is complete; then for each term the factor, an f32, and the address of the floats that it multiplies. There is at least one group, and
// at least one term in a group. Lists stand one behind the other. Terms are in the order in which the dense kernels add
// them, and sums join in the order of treeReduce (optimizer.ts): the bits are theirs, but for the sign of a sum that is zero.
//
// Weights or gradients that are not finite show in a sum only where they meet a factor that is not zero.

/** Bytes of a group's head, and of a term. */
const PAIR: usize = 8;

/** Floats that are looked at at once. */
const BLOCK = 16;

/** Bit i: whether the i-th of sixteen floats is not zero. */
// @ts-ignore: decorator
@inline
function nonzeros(x: usize): i32 {
  const zero = f32x4.splat(0);
  const a = f32x4.ne(v128.load(x), zero);
  const b = f32x4.ne(v128.load(x, 16), zero);
  const c = f32x4.ne(v128.load(x, 32), zero);
  const d = f32x4.ne(v128.load(x, 48), zero);
  return i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
}

/** Writes a term, to be kept or overwritten. Returns the place behind it if the factor is not zero, else its own. */
// @ts-ignore: decorator
@inline
function appendNonzero(term: usize, factor: usize, floats: usize): usize {
  const bits = load<u32>(factor);
  store<u32>(term, bits);
  store<u32>(term, <u32>floats, 4);
  // Without a branch, which nobody could predict. The sign does not count.
  return term + ((<usize>i32(bits << 1 != 0)) << 3);
}

/**
 * Lists of bias + x · W, one a row of x, of one group: `inputs` floats a row, `pitch` bytes from row to row of x and `weightPitch` of
 * W. Room for a word, two pairs and a pair for each float of x. Returns the number of terms of x, or −1 as soon as more than `share` of
 * what was seen is not zero.
 */
export function listInputs(
  x: usize,
  images: i32,
  inputs: i32,
  pitch: i32,
  bias: usize,
  weights: usize,
  weightPitch: i32,
  lists: usize,
  share: f32,
): i32 {
  const whole = inputs - (inputs % BLOCK);
  let terms = 0;
  for (let image = 0; image < images; image++) {
    const first = lists + 4 + PAIR;
    store<f32>(first, 1);
    store<u32>(first, <u32>bias, 4);
    let term = first + PAIR;
    let floats = weights;
    let factor = x;
    for (let k = 0; k < whole; k += BLOCK) {
      for (let bits = nonzeros(factor); bits != 0; bits &= bits - 1) {
        const i = ctz(bits);
        store<u32>(term, load<u32>(factor + ((<usize>i) << 2)));
        store<u32>(term, <u32>(floats + <usize>(i * weightPitch)), 4);
        term += PAIR;
      }
      factor += 4 * BLOCK;
      floats += <usize>(BLOCK * weightPitch);
    }
    for (let k = whole; k < inputs; k++) {
      term = appendNonzero(term, factor, floats);
      factor += 4;
      floats += weightPitch;
    }
    const count = <i32>((term - first) / PAIR);
    store<i32>(lists, 1);
    store<i32>(lists, count, 4);
    store<i32>(lists, 0, 8);
    terms += count - 1;
    if (<f32>terms > share * <f32>((image + 1) * inputs)) return -1;
    x += pitch;
    lists = term;
  }
  return terms;
}

/**
 * Lists of `rows` rows of a dense layer's weight gradient, with a group for each shard that has terms. The first six arguments are those of
 * treeGradient; `zeros` is the address of as many zeros as the gradient has columns. Room for a word and two pairs for
 * each row, a pair for each of its shards and one for each of its examples. Returns the number of terms, or −1 as soon as more than `share` of what was seen is not zero.
 */
export function listGradients(
  rows: i32,
  bigOffset: i32,
  shards: i32,
  table: usize,
  bigPitch: i32,
  smallPitch: i32,
  zeros: usize,
  lists: usize,
  share: f32,
): i32 {
  let examples = 0;
  for (let shard = 0; shard < shards; shard++) {
    examples += load<i32>(table + <usize>shard * 12, 8) / smallPitch;
  }
  let terms = 0;
  let occupied = 0;
  for (let row = 0; row < rows; row++) {
    const offset = bigOffset + (row << 2);
    if ((row & 3) == 0) occupied = occupiedRows(offset, shards, table, bigPitch, smallPitch);
    if (occupied & (1 << (row & 3))) {
      const end = listRow(offset, shards, table, bigPitch, smallPitch, lists);
      terms += <i32>((end - lists - 4) / PAIR) - load<i32>(lists);
      lists = end;
      if (<f32>terms > share * <f32>((row + 1) * examples)) return -1;
    } else {
      lists = listNothing(zeros, lists);
    }
  }
  return terms;
}

/** Bit i: whether the i-th of four rows has a term: many of an image's pixels are black in all examples. */
function occupiedRows(offset: i32, shards: i32, table: usize, bigPitch: i32, smallPitch: i32): i32 {
  const zero = f32x4.splat(0);
  let found = zero;
  for (let shard = 0; shard < shards; shard++) {
    const entry = table + <usize>shard * 12;
    let x = <usize>load<u32>(entry) + offset;
    for (let left = load<i32>(entry, 8); left > 0; left -= smallPitch) {
      found = v128.or(found, f32x4.ne(v128.load(x), zero));
      x += bigPitch;
    }
  }
  return i32x4.bitmask(found);
}

/** The list of a row without terms: one, of a zero. Returns where it ends. */
function listNothing(zeros: usize, list: usize): usize {
  store<i32>(list, 1);
  store<i32>(list, 1, 4);
  store<i32>(list, 0, 8);
  store<f32>(list, 0, 12);
  store<u32>(list, <u32>zeros, 16);
  return list + 4 + 2 * PAIR;
}

/** The list of a row that has terms. Returns where it ends. */
function listRow(offset: i32, shards: i32, table: usize, bigPitch: i32, smallPitch: i32, list: usize): usize {
  let groups = 0;
  let head = list + 4;
  let joining = head;
  // Which of the sums that wait have terms, the last one in bit 0: the tree's counter, as in treeGradient.
  let waiting = 0;
  for (let shard = 0; shard < shards; shard++) {
    const entry = table + <usize>shard * 12;
    let x = <usize>load<u32>(entry) + offset;
    let y = <usize>load<u32>(entry, 4);
    const end = y + load<u32>(entry, 8);
    const first = head + PAIR;
    let term = first;
    while (y != end) {
      term = appendNonzero(term, x, y);
      x += bigPitch;
      y += smallPitch;
    }
    let some = i32(term != first);
    if (some) {
      store<i32>(head, <i32>((term - first) / PAIR));
      store<i32>(head, 0, 4);
      groups++;
      joining = head;
      head = term;
    }
    const joined = shard + 1 == shards ? popcnt(shard) : ctz(shard + 1);
    for (let level = 0; level < joined; level++) {
      // What has no terms is a sum of nothing: it joins by being left out.
      if (waiting & some & 1) store<i32>(joining, load<i32>(joining, 4) + 1, 4);
      some |= waiting & 1;
      waiting >>= 1;
    }
    waiting = (waiting << 1) | some;
  }
  store<i32>(list, groups);
  return head;
}
