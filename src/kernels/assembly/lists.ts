// Lists of what is not zero in a matrix, for sumRows (tiles/source.ts): images are mostly black, a ReLU leaves half of its units, and a
// product with 0 changes no sum.
//
// Lists consist of pairs of words of four bytes. A row's list has groups, at least one, of a head and at least one term each. A head: the number of terms in
// its lower 24 bits, and above them how many sums wait then; a word of 0. A term: the factor, an f32, and the address of the floats that it multiplies. Lists stand
// one behind the other, and behind the last one a word of 0.
//
// No sum waits where a row begins. A group's sum is joined by those that wait, the last one first, until it is itself the last of as many as the next head says
// wait; the last of a row by all. Terms are in the order in which the dense kernels add
// them, and sums join in the order of treeReduce (optimizer.ts): the bits are theirs, but for the sign of a sum that is zero.
//
// Weights or gradients that are not finite show in a sum only where they meet a factor that is not zero.

/** Bytes of a group's head, and of a term. */
const PAIR: usize = 8;

/** Floats that are looked at at once, and bytes of a word for each. */
const BLOCK = 16;
const LINE = 64;

/** Pairs that are copied at once: those too many are overwritten by what follows. */
const COPIED = 4;

/** Of a tree, at most. */
const LEVELS = 32;

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
 * W. Room: inputListBytes (listRoom.ts) for each. Returns the number of terms of x, or −1 as soon as more than `share` of
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
    const first = lists + PAIR;
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
    store<i32>(lists, count);
    store<i32>(lists, 0, 4);
    terms += count - 1;
    if (<f32>terms > share * <f32>((image + 1) * inputs)) return -1;
    x += pitch;
    lists = term;
  }
  store<u32>(lists, 0);
  return terms;
}

/**
 * Lists of `rows` rows of a dense layer's weight gradient, with a group for each shard that has terms. The first six arguments are those of
 * treeGradient; `zeros` is the address of as many zeros as the gradient has columns. Room: gradientListBytes (listRoom.ts). Returns the
 * number of terms, or −1 as soon as more than `share` of what was seen is not zero.
 *
 * A list consists of pairs: so each shard with examples has a slot for its head, and one for each of its examples, and a row a bit for each slot. Bits are
 * found for sixteen rows at a time, whose pairs are then copied, head or term.
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
  let bytes = 0;
  for (let shard = 0; shard < shards; shard++) bytes += load<i32>(table + <usize>shard * 12, 8);
  const examples = bytes / smallPitch;
  const heads = align(lists + PAIR * <usize>(rows * (1 + shards + examples) + COPIED));
  const sums = heads + <usize>(shards * LINE);
  const counts = sums + LEVELS * 16;
  const bounds = counts + LINE;
  const slots = bounds + <usize>((shards + 2) << 2);
  const marks = align(slots + PAIR * <usize>(shards + examples));
  placeSlots(shards, table, bigPitch, smallPitch, bounds, slots);
  let terms = 0;
  for (let first = 0; first < rows; first += BLOCK) {
    const offset = bigOffset + (first << 2);
    const words = markPairs(offset, shards, table, bigPitch, bounds, slots, heads, sums, counts, marks);
    const height = min(rows - first, BLOCK);
    for (let row = 0; row < height; row++) {
      const place = <usize>row << 2;
      const count = load<i32>(counts + place);
      terms += count;
      if (<f32>terms > share * <f32>((first + row + 1) * examples)) return -1;
      lists = count == 0 ? listNothing(zeros, lists) : copyPairs(<usize>offset + place, marks + place, words, slots, lists);
    }
  }
  store<u32>(lists, 0);
  return terms;
}

// @ts-ignore: decorator
@inline
function align(address: usize): usize {
  return (address + LINE - 1) & ~(<usize>LINE - 1);
}

/**
 * [shards + 1] `bounds`, the first slot of each shard, and `slots`: for each example, where it has its floats of all rows, and those that they multiply. What is
 * left out is for the head.
 */
function placeSlots(shards: i32, table: usize, bigPitch: i32, smallPitch: i32, bounds: usize, slots: usize): void {
  let slot = slots;
  for (let shard = 0; shard < shards; shard++) {
    const entry = table + <usize>shard * 12;
    let x = <usize>load<u32>(entry);
    let y = <usize>load<u32>(entry, 4);
    const end = y + load<u32>(entry, 8);
    store<i32>(bounds + (<usize>shard << 2), <i32>((slot - slots) / PAIR));
    if (y != end) {
      store<u32>(slot, 0, 4);
      slot += PAIR;
    }
    while (y != end) {
      store<u32>(slot, <u32>x);
      store<u32>(slot, <u32>y, 4);
      slot += PAIR;
      x += bigPitch;
      y += smallPitch;
    }
  }
  store<i32>(bounds + (<usize>shards << 2), <i32>((slot - slots) / PAIR));
}

/**
 * Of sixteen rows: `marks`, [words][16], in which bit i of word w says whether slot 32 w + i has a term, or is the head of one; `heads`, [shards][16], which their slots
 * now point to; `counts`, [16], numbers of terms. `sums` has room for the levels of the tree. Returns the number of words.
 */
function markPairs(
  offset: i32,
  shards: i32,
  table: usize,
  bigPitch: i32,
  bounds: usize,
  slots: usize,
  heads: usize,
  sums: usize,
  counts: usize,
  marks: usize,
): i32 {
  const zero = i32x4.splat(0);
  let a = zero;
  let b = zero;
  let c = zero;
  let d = zero;
  storeLine(counts, zero, zero, zero, zero);
  // Of each row, how many sums that have terms wait; in `sums`, of each level, −1 where one does. The counter of the tree, as in treeGradient, is the number of the
  // shard.
  let waiting = zero;
  let word = 0;
  let slot = 0;
  for (let shard = 0; shard < shards; shard++) {
    let ca = zero;
    let cb = zero;
    let cc = zero;
    let cd = zero;
    const head = slot;
    bounds += 4;
    const end = load<i32>(bounds);
    if (slot != end) {
      store<u32>(slots + (<usize>slot << 3), <u32>(heads - offset));
      slot++;
      let x = <usize>load<u32>(table + <usize>shard * 12) + offset;
      while (slot != end) {
        if (slot >> 5 != word) {
          storeLine(marks + (<usize>word << 6), a, b, c, d);
          word++;
          a = zero;
          b = zero;
          c = zero;
          d = zero;
        }
        let bit = i32x4.splat(1 << (slot & 31));
        let left = min(end - slot, 32 - (slot & 31));
        slot += left;
        for (; left != 0; left--) {
          const na = f32x4.ne(v128.load(x), zero);
          const nb = f32x4.ne(v128.load(x, 16), zero);
          const nc = f32x4.ne(v128.load(x, 32), zero);
          const nd = f32x4.ne(v128.load(x, 48), zero);
          ca = i32x4.sub(ca, na);
          cb = i32x4.sub(cb, nb);
          cc = i32x4.sub(cc, nc);
          cd = i32x4.sub(cd, nd);
          a = v128.or(a, v128.and(na, bit));
          b = v128.or(b, v128.and(nb, bit));
          c = v128.or(c, v128.and(nc, bit));
          d = v128.or(d, v128.and(nd, bit));
          bit = i32x4.shl(bit, 1);
          x += bigPitch;
        }
      }
    }
    const sa = i32x4.ne(ca, zero);
    const sb = i32x4.ne(cb, zero);
    const sc = i32x4.ne(cc, zero);
    const sd = i32x4.ne(cd, zero);
    if (head != end) {
      v128.store(counts, i32x4.add(v128.load(counts), ca));
      v128.store(counts, i32x4.add(v128.load(counts, 16), cb), 16);
      v128.store(counts, i32x4.add(v128.load(counts, 32), cc), 32);
      v128.store(counts, i32x4.add(v128.load(counts, 48), cd), 48);
      const bit = i32x4.splat(1 << (head & 31));
      if (head >> 5 == word) {
        a = v128.or(a, v128.and(sa, bit));
        b = v128.or(b, v128.and(sb, bit));
        c = v128.or(c, v128.and(sc, bit));
        d = v128.or(d, v128.and(sd, bit));
      } else {
        const mark = marks + <usize>((head >> 5) * LINE);
        v128.store(mark, v128.or(v128.load(mark), v128.and(sa, bit)));
        v128.store(mark, v128.or(v128.load(mark, 16), v128.and(sb, bit)), 16);
        v128.store(mark, v128.or(v128.load(mark, 32), v128.and(sc, bit)), 32);
        v128.store(mark, v128.or(v128.load(mark, 48), v128.and(sd, bit)), 48);
      }
      // Bytes of `waiting` into the highest bytes.
      v128.store(heads, v128.or(ca, v128.shuffle<u8>(zero, waiting, 0, 0, 0, 16, 0, 0, 0, 17, 0, 0, 0, 18, 0, 0, 0, 19)));
      v128.store(heads, v128.or(cb, v128.shuffle<u8>(zero, waiting, 0, 0, 0, 20, 0, 0, 0, 21, 0, 0, 0, 22, 0, 0, 0, 23)), 16);
      v128.store(heads, v128.or(cc, v128.shuffle<u8>(zero, waiting, 0, 0, 0, 24, 0, 0, 0, 25, 0, 0, 0, 26, 0, 0, 0, 27)), 32);
      v128.store(heads, v128.or(cd, v128.shuffle<u8>(zero, waiting, 0, 0, 0, 28, 0, 0, 0, 29, 0, 0, 0, 30, 0, 0, 0, 31)), 48);
    }
    heads += LINE;
    let some = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(sa, sb), i16x8.narrow_i32x4_s(sc, sd));
    let level = sums;
    for (let joined = ctz(shard + 1); joined > 0; joined--) {
      const sum = v128.load(level);
      waiting = i8x16.add(waiting, sum);
      some = v128.or(some, sum);
      level += 16;
    }
    v128.store(level, some);
    waiting = i8x16.sub(waiting, some);
  }
  storeLine(marks + (<usize>word << 6), a, b, c, d);
  storeLine(marks + (<usize>word << 6) + LINE, zero, zero, zero, zero);
  return word + 1;
}

// @ts-ignore: decorator
@inline
function storeLine(line: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(line, a);
  v128.store(line, b, 16);
  v128.store(line, c, 32);
  v128.store(line, d, 48);
}

/** The list of a row without terms: one, of a zero. Returns where it ends. */
function listNothing(zeros: usize, list: usize): usize {
  store<u32>(list, 1);
  store<u32>(list, 0, 4);
  store<f32>(list, 0, 8);
  store<u32>(list, <u32>zeros, 12);
  return list + 2 * PAIR;
}

/** The list of a row: its heads and terms, whose slots are marked. Returns where it ends. */
function copyPairs(offset: usize, marks: usize, words: i32, slots: usize, list: usize): usize {
  // Two words at a time: how often the inner loop runs cannot be predicted, so what counts is how often it ends.
  for (let word = 0; word < words; word += 2) {
    let bits = <u64>load<u32>(marks) | (<u64>load<u32>(marks, LINE) << 32);
    const end = list + (<usize>popcnt(bits) << 3);
    while (bits != 0) {
      copyPair(bits, slots, offset, list);
      bits &= bits - 1;
      copyPair(bits, slots, offset, list + PAIR);
      bits &= bits - 1;
      copyPair(bits, slots, offset, list + 2 * PAIR);
      bits &= bits - 1;
      copyPair(bits, slots, offset, list + 3 * PAIR);
      bits &= bits - 1;
      list += <usize>COPIED * PAIR;
    }
    list = end;
    marks += 2 * LINE;
    slots += 64 * PAIR;
  }
  return list;
}

/** Copies the pair of the lowest bit's slot; without a bit, of the first slot, whose addresses are as good as any. */
// @ts-ignore: decorator
@inline
function copyPair(bits: u64, slots: usize, offset: usize, list: usize): void {
  const slot = slots + (<usize>(ctz(bits) & 63) << 3);
  store<u32>(list, load<u32>(<usize>load<u32>(slot) + offset));
  store<u32>(list, load<u32>(slot, 4), 4);
}
