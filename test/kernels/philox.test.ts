import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Purpose, randomKey } from '#src/kernels/stream.js';
import { KernelHarness } from './kernelHarness.js';
import { type Counter, type Key, philox4x32, rowWords, type Stream } from './philoxReference.js';

// Random123, tests/kat_vectors, the lines "philox4x32 10".
const knownAnswers: readonly { counter: Counter; key: Key; words: Counter }[] = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

const harness = new KernelHarness();
const word = fc.integer({ min: 0, max: 0xffffffff });
const anyKey: fc.Arbitrary<Key> = fc.tuple(word, word);
const anyStream: fc.Arbitrary<Stream> = fc.record({ position: word, step: word, purpose: word });

function randomBits(count: number, [low, high]: Key, { position, step, purpose }: Stream): Uint32Array {
  harness.reset();
  const out = harness.output(count * 4, Math.ceil(count / 16) * 64);
  harness.run((kernels) =>
    kernels.randomBits({ out, count, key0: low, key1: high, position, step, purpose }),
  );
  return harness.words(out, count);
}

test('the reference gives the published answers', () => {
  for (const { counter, key, words } of knownAnswers) assert.deepEqual(philox4x32(counter, key), words);
});

test('the kernel gives the published answer that its counters reach: block 0 of all zeros', () => {
  const row = randomBits(16, [0, 0], { position: 0, step: 0, purpose: 0 });
  assert.deepEqual([row[0], row[4], row[8], row[12]], knownAnswers[0]!.words);
});

test('every word is that of the reference, at any key, counter and length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), anyKey, anyStream, (count, key, stream) => {
      assert.deepEqual(randomBits(count, key, stream), rowWords(count, key, stream));
    }),
  );
});

test('a shorter row is the beginning of a longer one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), anyKey, anyStream, (count, key, stream) => {
      assert.deepEqual(randomBits(count, key, stream), randomBits(100, key, stream).subarray(0, count));
    }),
  );
});

test('a seed is its two halves', () => {
  assert.deepEqual(randomKey(0x0123456789abcdefn), { low: 0x89abcdef, high: 0x01234567 });
  assert.deepEqual(randomKey(0n), { low: 0, high: 0 });
  assert.deepEqual(randomKey(2n ** 64n - 1n), { low: 0xffffffff, high: 0xffffffff });
});

test('no purpose is renumbered: a run of today resumes tomorrow', () => {
  assert.deepEqual(
    { ...Purpose },
    {
      initialization: 1,
      epochOrder: 2,
      trainingNoise: 3,
      trainingBinarization: 4,
      evaluationNoise: 5,
      evaluationBinarization: 6,
      prior: 7,
      pixels: 8,
      staticBinarization: 9,
      reconstructionNoise: 10,
      importanceNoise: 11,
      annealingPrior: 12,
      momentum: 13,
      acceptance: 14,
      pilotMomentum: 15,
      pilotAcceptance: 16,
      pilotPrior: 17,
      simulatedLatent: 18,
      simulatedPixels: 19,
      posteriorStart: 20,
      gapNoise: 21,
      estimatorNoise: 22,
      trainingMomentum: 23,
      trainingAcceptance: 24,
      priorComponent: 25,
      annealingComponent: 26,
      pilotComponent: 27,
      simulatedComponent: 28,
    },
  );
});
