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
 * each row, a pair for each of its shards and one for each of its examples; behind that for marks (MARK_BYTES). Returns the number of terms, or −1 as soon as
 * more than `share` of what was seen is not zero.
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
  const examples = countExamples(shards, table, smallPitch);
  const words = (examples + 31) / 32;
  const marks = lists + <usize>(rows * (4 + PAIR * (2 + shards + examples)));
  const index = marks + <usize>(words * MARKS);
  placeSegments(shards, table, bigPitch, smallPitch, index, words);
  let terms = 0;
  for (let first = 0; first < rows; first += BLOCK) {
    const offset = bigOffset + (first << 2);
    markNonzeros(offset, bigPitch, marks, index, words);
    const height = min(rows - first, BLOCK);
    for (let row = 0; row < height; row++) {
      const end = listRow(offset + (row << 2), bigPitch, smallPitch, marks + (<usize>row << 2), index, words, lists);
      const groups = load<i32>(lists);
      if (groups) {
        terms += <i32>((end - lists - 4) / PAIR) - groups;
        lists = end;
        if (<f32>terms > share * <f32>((first + row + 1) * examples)) return -1;
      } else {
        lists = listNothing(zeros, lists);
      }
    }
  }
  return terms;
}

function countExamples(shards: i32, table: usize, smallPitch: i32): i32 {
  let bytes = 0;
  for (let shard = 0; shard < shards; shard++) bytes += load<i32>(table + <usize>shard * 12, 8);
  return bytes / smallPitch;
}

/** Bytes of a word of bits for each of sixteen rows. */
const MARKS = 4 * BLOCK;

/**
 * Which parts of words of bits, one an example, belong to which shard. For each word, and behind the last one, a pair: its bits at which a segment begins, and
 * the address of its first segment less that of a segment. For each segment: its shard; its bits of the word; the addresses of its first example's
 * floats of both sides.
 */
function placeSegments(shards: i32, table: usize, bigPitch: i32, smallPitch: i32, index: usize, words: i32): void {
  let segment = index + <usize>((words + 1) * PAIR);
  let starts = 0;
  let bit = 0;
  store<u32>(index, <u32>(segment - SEGMENT), 4);
  for (let shard = 0; shard < shards; shard++) {
    const entry = table + <usize>shard * 12;
    let x = <usize>load<u32>(entry);
    let y = <usize>load<u32>(entry, 4);
    let left = load<i32>(entry, 8) / smallPitch;
    while (left > 0) {
      const count = min(left, 32 - bit);
      store<i32>(segment, shard);
      store<u32>(segment, (0xffffffff >>> (32 - count)) << bit, 4);
      store<u32>(segment, <u32>x, 8);
      store<u32>(segment, <u32>y, 12);
      segment += SEGMENT;
      starts |= 1 << bit;
      left -= count;
      x += count * bigPitch;
      y += count * smallPitch;
      bit += count;
      if (bit == 32) {
        store<i32>(index, starts);
        index += PAIR;
        store<u32>(index, <u32>(segment - SEGMENT), 4);
        starts = 0;
        bit = 0;
      }
    }
  }
  if (bit > 0) {
    store<i32>(index, starts);
    store<u32>(index, <u32>(segment - SEGMENT), PAIR + 4);
  }
}

const SEGMENT: usize = 16;

/** For each word of examples, sixteen words, a row each: bit i says whether the i-th example is not zero. */
function markNonzeros(offset: i32, bigPitch: i32, marks: usize, index: usize, words: i32): void {
  const zero = f32x4.splat(0);
  for (let word = 0; word < words; word++) {
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    let bit = i32x4.splat(1);
    const last = <usize>load<u32>(index, PAIR + 4);
    for (let segment = <usize>load<u32>(index, 4); segment != last; ) {
      segment += SEGMENT;
      let x = <usize>load<u32>(segment, 8) + offset;
      for (let left = popcnt(load<u32>(segment, 4)); left != 0; left--) {
        a = v128.or(a, v128.and(f32x4.ne(v128.load(x), zero), bit));
        b = v128.or(b, v128.and(f32x4.ne(v128.load(x, 16), zero), bit));
        c = v128.or(c, v128.and(f32x4.ne(v128.load(x, 32), zero), bit));
        d = v128.or(d, v128.and(f32x4.ne(v128.load(x, 48), zero), bit));
        bit = i32x4.shl(bit, 1);
        x += bigPitch;
      }
    }
    v128.store(marks, a);
    v128.store(marks, b, 16);
    v128.store(marks, c, 32);
    v128.store(marks, d, 48);
    marks += MARKS;
    index += PAIR;
  }
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

/** The list of a row. Returns where it ends; a row without terms has no groups, and no list. */
function listRow(
  offset: i32,
  bigPitch: i32,
  smallPitch: i32,
  marks: usize,
  index: usize,
  words: i32,
  list: usize,
): usize {
  let groups = 0;
  // The head of a group before the first one is written where that has its own.
  let head = list + 4;
  let term = head;
  let shard = -1;
  // Bit i: a sum of 2^i shards waits that has terms. The counter of the tree, as in treeGradient, is the number of the shard.
  let waiting = 0;
  for (let word = 0; word < words; word++) {
    let bits = load<u32>(marks);
    while (bits != 0) {
      const nth = popcnt(load<u32>(index) & (bits ^ (bits - 1)));
      const segment = <usize>load<u32>(index, 4) + (<usize>nth << 4);
      const next = load<i32>(segment);
      if (next != shard) {
        // What waits below the highest digit that changes is joined until the next shard with terms is come to.
        const below = 0x7fffffff >>> clz(shard ^ next);
        store<i32>(head, popcnt(waiting & below), 4);
        waiting = (waiting & ~below) | (below + 1);
        store<i32>(head, <i32>((term - head) / PAIR) - 1);
        shard = next;
        head = term;
        term += PAIR;
        groups++;
      }
      const mask = load<u32>(segment, 4);
      let left = (bits & mask) >>> ctz(mask);
      bits &= ~mask;
      const x = <usize>load<u32>(segment, 8) + offset;
      const y = load<u32>(segment, 12);
      const end = term + (<usize>popcnt(left) << 3);
      do {
        const i = ctz(left);
        store<u32>(term, load<u32>(x + <usize>(i * bigPitch)));
        store<u32>(term, y + i * smallPitch, 4);
        left &= left - 1;
        term += PAIR;
      } while (left != 0);
      term = end;
    }
    marks += MARKS;
    index += PAIR;
  }
  if (groups) {
    store<i32>(head, popcnt(waiting & 0x7fffffff), 4);
    store<i32>(head, <i32>((term - head) / PAIR) - 1);
  }
  store<i32>(list, groups);
  return term;
}
