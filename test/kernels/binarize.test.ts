import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { words } from './float32.js';
import { assertSameBits, KernelHarness } from './kernelHarness.js';
import { type Key, rowWords } from './philoxReference.js';
import { chiSquareCritical, FOUR_SIGMA } from './statistics.js';

const mode = { none: 0, threshold: 1, bernoulli: 2 } as const;
type Mode = keyof typeof mode;

interface Draw {
  readonly key: Key;
  readonly step: number;
  readonly purpose: number;
}

const harness = new KernelHarness(1 << 21);
const noDraw: Draw = { key: [0, 0], step: 0, purpose: 0 };

/** [order.length, dimensions] from `pixels`, [images, dimensions]. */
function binarize(
  kind: Mode,
  pixels: Uint8Array,
  order: readonly number[],
  dimensions: number,
  { key, step, purpose }: Draw = noDraw,
  held: readonly number[] | undefined = undefined,
): Float32Array {
  harness.reset();
  const source = harness.input(pixels);
  const table = harness.u32(order);
  const places = held === undefined ? table : harness.u32(held);
  const count = order.length * dimensions;
  const out = harness.output(count * 4);
  const scratch = harness.output(64);
  harness.run((kernels) =>
    kernels.binarize({
      mode: mode[kind],
      pixels: source,
      places,
      order: table,
      rows: order.length,
      dimensions,
      out,
      key0: key[0],
      key1: key[1],
      step,
      purpose,
      scratch,
    }),
  );
  return harness.floats(out, count);
}

/** The same, pixel by pixel. */
function reference(
  kind: Mode,
  pixels: Uint8Array,
  order: readonly number[],
  dimensions: number,
  { key, step, purpose }: Draw,
): Float32Array {
  const rows = order.map((image) => {
    const bits = rowWords(dimensions, key, { position: image, step, purpose });
    return Array.from(pixels.subarray(image * dimensions, (image + 1) * dimensions), (grey, i) => {
      if (kind === 'none') return Math.fround(grey / 255);
      if (kind === 'threshold') return grey > 127.5 ? 1 : 0;
      // Probability grey / 255, from the interval [0, 2^32 − 1) of words: the last word counts as the one
      // before it.
      return Math.min(bits[i]!, 0xfffffffe) / 0xffffffff < grey / 255 ? 1 : 0;
    });
  });
  return Float32Array.from(rows.flat());
}

const everyGrey = Uint8Array.from({ length: 256 }, (_, grey) => grey);

test('none: grey / 255, rounded once', () => {
  const expected = Float32Array.from(everyGrey, (grey) => grey / 255);
  assertSameBits(binarize('none', everyGrey, [0], 256), expected, 'grey / 255');
});

test('threshold: 127 is 0, 128 is 1', () => {
  const expected = Float32Array.from(everyGrey, (grey) => (grey >= 128 ? 1 : 0));
  assertSameBits(binarize('threshold', everyGrey, [0], 256), expected, 'threshold');
});

const word = fc.integer({ min: 0, max: 0xffffffff });
const anyDraw: fc.Arbitrary<Draw> = fc.record({ key: fc.tuple(word, word), step: word, purpose: word });

test('all modes, any dimension, images in the order of the table, and twice if it says so', () => {
  const kind = fc.constantFrom<Mode[]>('none', 'threshold', 'bernoulli');
  const images = 4;
  const orders = fc.array(fc.nat({ max: images - 1 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      kind,
      fc.integer({ min: 1, max: 37 }),
      orders,
      word,
      anyDraw,
      (k, dimensions, order, seed, draw) => {
        const next = words(seed);
        const pixels = Uint8Array.from({ length: images * dimensions }, () => next() >>> 24);
        const actual = binarize(k, pixels, order, dimensions, draw);
        assertSameBits(actual, reference(k, pixels, order, dimensions, draw), k);
      },
    ),
  );
});

test('of images that are held in part, and in another order, each is drawn by its own number', () => {
  const dimensions = 37;
  const next = words(5);
  const pixels = Uint8Array.from({ length: 9 * dimensions }, () => next() >>> 24);
  const draw: Draw = { key: [3, 5], step: 7, purpose: 1 };
  const order = [8, 2, 5, 2];
  const held = [5, 8, 2];
  const some = Uint8Array.from(
    held.flatMap((image) => [...pixels.subarray(image * dimensions, (image + 1) * dimensions)]),
  );
  const places = order.map((image) => held.indexOf(image));
  for (const kind of ['none', 'threshold', 'bernoulli'] as const) {
    const expected = reference(kind, pixels, order, dimensions, draw);
    assertSameBits(binarize(kind, some, order, dimensions, draw, places), expected, kind);
  }
});

test('Bernoulli draws differ by key, step, purpose and image, and by nothing else', () => {
  const dimensions = 512;
  const pixels = new Uint8Array(3 * dimensions).fill(128);
  const draw: Draw = { key: [1, 2], step: 3, purpose: 4 };
  const drawn = (order: number[], other: Partial<Draw> = {}) =>
    binarize('bernoulli', pixels, order, dimensions, { ...draw, ...other });
  const first = drawn([0]);
  assert.deepEqual(drawn([2, 1, 0]).subarray(2 * dimensions), first);
  const others = [drawn([1]), drawn([0], { key: [9, 2] }), drawn([0], { key: [1, 9] })];
  others.push(drawn([0], { step: 9 }), drawn([0], { purpose: 9 }));
  for (const other of others) {
    // Independent fair pixels (near enough, 128 / 255) agree in half of 512 places, ± √128.
    const agreeing = other.filter((value, i) => value === first[i]).length;
    assert.ok(
      Math.abs(agreeing - dimensions / 2) < FOUR_SIGMA * Math.sqrt(dimensions / 4),
      `${agreeing} agree`,
    );
  }
});

// Found in rows of 784 words of key 0, image 0, purpose 0, by trying steps below 2^24.
test('Bernoulli: grey 0 is 0 and grey 255 is 1 at the extreme words, too', () => {
  for (const { step, pixel, bits, greys } of [
    { step: 3083763, pixel: 593, bits: 0, greys: { 0: 0, 1: 1, 255: 1 } },
    { step: 8469831, pixel: 157, bits: 0xffffffff, greys: { 0: 0, 254: 0, 255: 1 } },
  ]) {
    const draw: Draw = { key: [0, 0], step, purpose: 0 };
    assert.equal(rowWords(784, draw.key, { position: 0, step, purpose: 0 })[pixel], bits);
    for (const [grey, expected] of Object.entries(greys)) {
      const values = binarize('bernoulli', new Uint8Array(784).fill(Number(grey)), [0], 784, draw);
      assert.equal(values[pixel], expected, `grey ${grey} at word ${bits}`);
    }
  }
});

// Every grey level in each of a thousand images, drawn in each of ten steps.
test('Bernoulli: 0 and 255 never change, every other grey is drawn with its own frequency', () => {
  const [images, steps] = [1000, 10];
  const pixels = Uint8Array.from({ length: images * 256 }, (_, i) => i % 256);
  const order = Array.from({ length: images }, (_, i) => i);
  const ones = new Float64Array(256);
  for (let step = 0; step < steps; step++) {
    binarize('bernoulli', pixels, order, 256, { key: [11, 13], step, purpose: 4 }).forEach((value, i) => {
      ones[i % 256]! += value;
    });
  }
  const n = images * steps;
  assert.equal(ones[0], 0);
  assert.equal(ones[255], n);
  const scores = ones.subarray(1, 255).map((count, i) => {
    const p = (i + 1) / 255;
    return (count - n * p) / Math.sqrt(n * p * (1 - p));
  });
  // For 0.2 % of seeds, one of 254 standard normals lies beyond 4.5.
  scores.forEach((score, i) => {
    assert.ok(Math.abs(score) < 4.5, `grey ${i + 1}: ${ones[i + 1]} of ${n}, ${score} standard errors off`);
  });
  const squares = scores.reduce((sum, score) => sum + score * score, 0);
  assert.ok(squares < chiSquareCritical(254, FOUR_SIGMA), `χ² ${squares}`);
});

for (const kind of ['none', 'threshold', 'bernoulli'] as const) {
  test(`${kind}: images with black parts of any length, anywhere`, () => {
    const draw: Draw = { key: [7, 11], step: 3, purpose: 2 };
    for (const dimensions of [15, 16, 17, 64, 70, 784]) {
      const next = words(dimensions);
      let left = 0;
      let black = false;
      const pixels = Uint8Array.from({ length: 6 * dimensions }, () => {
        if (left-- === 0) {
          left = next() % 40;
          black = !black;
        }
        return black ? 0 : next() & 0xff;
      });
      const order = [5, 0, 3, 3, 1];
      const expected = reference(kind, pixels, order, dimensions, draw);
      assertSameBits(binarize(kind, pixels, order, dimensions, draw), expected, `${dimensions} pixels`);
    }
  });
}
