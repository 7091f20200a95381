// Lists of what is not zero in a matrix, for sumRows (tiles/source.ts): images are mostly black, a ReLU
// leaves half of its units, and a product with 0 changes no sum.
//
// Lists consist of pairs of words of four bytes. A row's list has one group or more, each a head and then one
// term or more. A head: the number of the group's terms in the lower 24 bits, above them how many sums wait;
// and a word of 0. A term: the factor, an f32, and the address of the floats that it multiplies. Lists stand
// one behind the other, and behind the last one a word of 0, as a head without terms.
//
// A row begins with no sum waiting. A group's sum is joined by those that wait, the last one first, until as
// many wait, with itself, as the next head says; the last sum of a row by all. Terms are in the order in
// which the dense kernels add them, and sums join in the order of treeReduce (optimizer.ts): the bits are
// theirs, but for the sign of a sum that is zero.
//
// Weights or gradients that are not finite show in a sum only where they meet a factor that is not zero.

/** Bytes of a group's head, and of a term. */
const PAIR: usize = 8;

/** Floats that are looked at at once, and bytes of a word for each. */
const BLOCK = 16;
const LINE = 64;

/**
 * Pairs that are written at once, for as many bits of a word as are left or not: nobody could predict how
 * many. Those too many are overwritten by what follows.
 */
const AT_ONCE: usize = 4;

/** Levels of a tree over shards, at most. */
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

/**
 * Writes a term, to be kept or overwritten. Returns the place behind it if the factor is not zero, else its
 * own.
 */
// @ts-ignore: decorator
@inline
function appendNonzero(term: usize, factor: usize, floats: usize): usize {
  const bits = load<u32>(factor);
  store<u32>(term, bits);
  store<u32>(term, <u32>floats, 4);
  // Without a branch, which nobody could predict. The sign does not count.
  return term + ((<usize>i32(bits << 1 != 0)) << 3);
}

/** Terms of up to 64 floats, by a bit for each that is not zero. Returns the place behind them. */
// @ts-ignore: decorator
@inline
function appendTerms(bits: u64, factors: usize, floats: usize, pitch: i32, term: usize): usize {
  return writePairs(true, bits, factors, floats, pitch, term);
}

/**
 * A pair for each bit, AT_ONCE at a time: the term of a float, or what stands in a slot. Returns the place
 * behind them.
 */
// @ts-ignore: decorator
@inline
function writePairs(terms: bool, bits: u64, from: usize, other: usize, pitch: i32, pair: usize): usize {
  const end = pair + ((<usize>popcnt(bits)) << 3);
  while (bits != 0) {
    writePair(terms, bits, from, other, pitch, pair);
    bits &= bits - 1;
    writePair(terms, bits, from, other, pitch, pair + PAIR);
    bits &= bits - 1;
    writePair(terms, bits, from, other, pitch, pair + 2 * PAIR);
    bits &= bits - 1;
    writePair(terms, bits, from, other, pitch, pair + 3 * PAIR);
    bits &= bits - 1;
    pair += AT_ONCE * PAIR;
  }
  return end;
}

// @ts-ignore: decorator
@inline
function writePair(terms: bool, bits: u64, from: usize, other: usize, pitch: i32, pair: usize): void {
  if (terms) appendTerm(bits, from, other, pitch, pair);
  else copyPair(bits, from, other, pair);
}

/** The term of the lowest bit's float; without a bit, of the first. */
// @ts-ignore: decorator
@inline
function appendTerm(bits: u64, factors: usize, floats: usize, pitch: i32, term: usize): void {
  const k = (<i32>ctz(bits)) & 63;
  store<u32>(term, load<u32>(factors + ((<usize>k) << 2)));
  store<u32>(term, <u32>(floats + <usize>(k * pitch)), 4);
}

/**
 * Lists of bias + x · W, one a row of x, of one group: `inputs` floats a row, `pitch` bytes from row to row
 * of x and `weightPitch` of W. Room: inputListBytes (listRoom.ts) for each. Returns the number of terms of x,
 * or −1 as soon as more than `share` of what was seen is not zero.
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
  let terms = 0;
  for (let image = 0; image < images; image++) {
    const first = lists + PAIR;
    store<f32>(first, 1);
    store<u32>(first, <u32>bias, 4);
    let term = first + PAIR;
    let floats = weights;
    let factor = x;
    let left = inputs;
    for (; left >= 4 * BLOCK; left -= 4 * BLOCK) {
      const low = nonzeros(factor) | (nonzeros(factor + LINE) << 16);
      const high = nonzeros(factor + 2 * LINE) | (nonzeros(factor + 3 * LINE) << 16);
      term = appendTerms((<u64>(<u32>low)) | ((<u64>high) << 32), factor, floats, weightPitch, term);
      factor += 4 * LINE;
      floats += <usize>(4 * BLOCK * weightPitch);
    }
    for (; left >= BLOCK; left -= BLOCK) {
      term = appendTerms(<u64>nonzeros(factor), factor, floats, weightPitch, term);
      factor += LINE;
      floats += <usize>(BLOCK * weightPitch);
    }
    for (; left > 0; left--) {
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
 * Lists of `rows` rows of a dense layer's weight gradient, with a group for each shard that has terms. The
 * first six arguments are those of treeGradient; `zeros` is the address of as many zeros as the gradient has
 * columns. Room: gradientListBytes (listRoom.ts). Returns the number of terms, or −1 as soon as more than
 * `share` of what was seen is not zero.
 *
 * Each shard with examples has a slot for its head and one for each example: what stands there in a list of
 * all. A row has a bit for each slot; sixteen rows' bits are found at a time, and then what they mark is
 * copied, head or term.
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
  const words = (shards + examples + 31) / 32;
  const heads = align(lists + PAIR * (<usize>(rows * (1 + shards + examples)) + AT_ONCE));
  const counts = heads + <usize>(shards * LINE);
  const tree = counts + LINE;
  const marks = tree + (1 + LEVELS) * 16;
  const slots = marks + <usize>((words + 2) * LINE);
  const bounds = slots + PAIR * <usize>(shards + examples + 1);
  placeSlots(shards, table, bigPitch, smallPitch, bounds, slots);
  let terms = 0;
  for (let first = 0; first < rows; first += BLOCK) {
    const offset = bigOffset + (first << 2);
    clearLines(counts, marks, words + 2);
    v128.store(tree, i32x4.splat(0));
    for (let shard = 0; shard < shards; shard++) {
      const head = heads + <usize>(shard * LINE);
      const slot = load<i32>(bounds + ((<usize>shard) << 2));
      const end = load<i32>(bounds + ((<usize>shard) << 2), 4);
      markTerms(<usize>load<u32>(table + <usize>shard * 12) + offset, bigPitch, slot + 1, end, marks, head);
      markHead(shard, slot, head, marks, tree, counts);
      // Where this shard has no examples, the slot is the next one's, which follows.
      store<u32>(slots + ((<usize>slot) << 3), <u32>(head - offset));
    }
    const height = min(rows - first, BLOCK);
    for (let row = 0; row < height; row++) {
      const place = (<usize>row) << 2;
      const count = load<i32>(counts + place);
      terms += count;
      if (<f32>terms > share * <f32>((first + row + 1) * examples)) return -1;
      lists =
        count == 0
          ? listNothing(zeros, lists)
          : copyPairs(<usize>offset + place, marks + place, words, slots, lists);
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

/** Zeros `counts` and `lines` lines of marks. */
function clearLines(counts: usize, marks: usize, lines: i32): void {
  const zero = i32x4.splat(0);
  storeLine(counts, zero, zero, zero, zero);
  for (; lines > 0; lines--) {
    storeLine(marks, zero, zero, zero, zero);
    marks += LINE;
  }
}

// @ts-ignore: decorator
@inline
function storeLine(line: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(line, a);
  v128.store(line, b, 16);
  v128.store(line, c, 32);
  v128.store(line, d, 48);
}

/**
 * [shards + 1] `bounds`, the first slot of each shard, and `slots`: for each example, where it has its floats
 * of all rows, and those that they multiply. What is left out is for the head.
 */
function placeSlots(
  shards: i32,
  table: usize,
  bigPitch: i32,
  smallPitch: i32,
  bounds: usize,
  slots: usize,
): void {
  let slot = slots;
  for (let shard = 0; shard < shards; shard++) {
    const entry = table + <usize>shard * 12;
    let x = <usize>load<u32>(entry);
    let y = <usize>load<u32>(entry, 4);
    const end = y + load<u32>(entry, 8);
    store<i32>(bounds + ((<usize>shard) << 2), <i32>((slot - slots) / PAIR));
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
  store<i32>(bounds + ((<usize>shards) << 2), <i32>((slot - slots) / PAIR));
}

/**
 * Marks the terms of sixteen rows in slots up to `end`, whose examples have their floats of these rows at x
 * and each `bigPitch` bytes: in `marks`, [words][16], bit i of word w is that of slot 32 w + i. `head`, [16],
 * becomes how many each row has.
 */
function markTerms(x: usize, bigPitch: i32, slot: i32, end: i32, marks: usize, head: usize): void {
  const zero = f32x4.splat(0);
  let ca = zero;
  let cb = zero;
  let cc = zero;
  let cd = zero;
  while (slot < end) {
    const line = marks + <usize>((slot >> 5) * LINE);
    let a = v128.load(line);
    let b = v128.load(line, 16);
    let c = v128.load(line, 32);
    let d = v128.load(line, 48);
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
    storeLine(line, a, b, c, d);
  }
  storeLine(head, ca, cb, cc, cd);
}

/**
 * Completes a shard's heads of sixteen rows, marks them where there are terms, and adds these to `counts`.
 * `tree`, bytes of the sixteen rows: how many sums with terms wait; then, of each level, −1 where one does.
 * Its counter is the number of the shard, as in treeGradient.
 */
function markHead(shard: i32, slot: i32, head: usize, marks: usize, tree: usize, counts: usize): void {
  const zero = i32x4.splat(0);
  const waiting = v128.load(tree);
  const a = v128.load(head);
  const b = v128.load(head, 16);
  const c = v128.load(head, 32);
  const d = v128.load(head, 48);
  const sa = i32x4.ne(a, zero);
  const sb = i32x4.ne(b, zero);
  const sc = i32x4.ne(c, zero);
  const sd = i32x4.ne(d, zero);
  const bit = i32x4.splat(1 << (slot & 31));
  orLine(
    marks + <usize>((slot >> 5) * LINE),
    v128.and(sa, bit),
    v128.and(sb, bit),
    v128.and(sc, bit),
    v128.and(sd, bit),
  );
  storeLine(
    counts,
    i32x4.add(v128.load(counts), a),
    i32x4.add(v128.load(counts, 16), b),
    i32x4.add(v128.load(counts, 32), c),
    i32x4.add(v128.load(counts, 48), d),
  );
  // Each row's byte becomes the highest of its word.
  orLine(
    head,
    v128.shuffle<u8>(zero, waiting, 0, 0, 0, 16, 0, 0, 0, 17, 0, 0, 0, 18, 0, 0, 0, 19),
    v128.shuffle<u8>(zero, waiting, 0, 0, 0, 20, 0, 0, 0, 21, 0, 0, 0, 22, 0, 0, 0, 23),
    v128.shuffle<u8>(zero, waiting, 0, 0, 0, 24, 0, 0, 0, 25, 0, 0, 0, 26, 0, 0, 0, 27),
    v128.shuffle<u8>(zero, waiting, 0, 0, 0, 28, 0, 0, 0, 29, 0, 0, 0, 30, 0, 0, 0, 31),
  );
  const some = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(sa, sb), i16x8.narrow_i32x4_s(sc, sd));
  joinSums(shard, some, tree);
}

// @ts-ignore: decorator
@inline
function orLine(line: usize, a: v128, b: v128, c: v128, d: v128): void {
  storeLine(
    line,
    v128.or(v128.load(line), a),
    v128.or(v128.load(line, 16), b),
    v128.or(v128.load(line, 32), c),
    v128.or(v128.load(line, 48), d),
  );
}

/** The shard's sums join what waits, and wait; what has no terms is a sum of nothing, and is left out. */
// @ts-ignore: decorator
@inline
function joinSums(shard: i32, some: v128, tree: usize): void {
  let waiting = v128.load(tree);
  let level = tree + 16;
  for (let joined = ctz(shard + 1); joined > 0; joined--) {
    const sum = v128.load(level);
    waiting = i8x16.add(waiting, sum);
    some = v128.or(some, sum);
    level += 16;
  }
  v128.store(level, some);
  v128.store(tree, i8x16.sub(waiting, some));
}

/** The list of a row without terms: one, of a zero. Returns where it ends. */
function listNothing(zeros: usize, list: usize): usize {
  store<u32>(list, 1);
  store<u32>(list, 0, 4);
  store<f32>(list, 0, 8);
  store<u32>(list, <u32>zeros, 12);
  return list + 2 * PAIR;
}

/** The list of a row: what is marked of its slots. Returns where it ends. */
function copyPairs(offset: usize, marks: usize, words: i32, slots: usize, list: usize): usize {
  // Two words at a time, since each end of the inner loop costs more than a few of its turns.
  for (; words > 0; words -= 2) {
    const bits = (<u64>load<u32>(marks)) | ((<u64>load<u32>(marks, LINE)) << 32);
    list = writePairs(false, bits, slots, offset, 0, list);
    marks += 2 * LINE;
    slots += 64 * PAIR;
  }
  return list;
}

/**
 * The pair of the lowest bit's slot; without a bit, of the first slot, whose addresses are as good as any.
 */
// @ts-ignore: decorator
@inline
function copyPair(bits: u64, slots: usize, offset: usize, list: usize): void {
  const slot = slots + ((<usize>(ctz(bits) & 63)) << 3);
  store<u32>(list, load<u32>(<usize>load<u32>(slot) + offset));
  store<u32>(list, load<u32>(slot, 4), 4);
}
