import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epochOrder } from '#src/data/epochOrder.js';
import { Purpose, randomKey } from '#src/kernels/stream.js';
import { KernelHarness } from '../kernels/kernelHarness.js';
import { rowWords } from '../kernels/philoxReference.js';
import { chiSquare, chiSquareCritical, FOUR_SIGMA } from '../kernels/statistics.js';

const harness = new KernelHarness();

function order(n: number, seed: bigint, epoch: number): number[] {
  harness.reset();
  const bits = harness.output(n * 4, Math.ceil(n / 16) * 64);
  const filled = new Uint32Array(n);
  harness.run((kernels) => epochOrder(kernels, harness.memory.buffer, filled, bits, randomKey(seed), epoch));
  return Array.from(filled);
}

const sizes = fc.integer({ min: 1, max: 300 });
const seeds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const epochs = fc.nat();

test('an epoch visits every example once', () => {
  fc.assert(
    fc.property(sizes, seeds, epochs, (n, seed, epoch) => {
      const sorted = order(n, seed, epoch).sort((a, b) => a - b);
      assert.deepEqual(
        sorted,
        Array.from({ length: n }, (_, i) => i),
      );
    }),
  );
});

test('the order is the shuffle of Fisher and Yates by the random words of (key, epoch)', () => {
  fc.assert(
    fc.property(sizes, seeds, epochs, (n, seed, epoch) => {
      const { low, high } = randomKey(seed);
      const stream = { position: 0, step: epoch, purpose: Purpose.epochOrder };
      const words = rowWords(n, [low, high], stream);
      const left = Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Number((BigInt(words[i]!) * BigInt(i + 1)) >> 32n);
        [left[i], left[j]] = [left[j]!, left[i]!];
      }
      assert.deepEqual(order(n, seed, epoch), left);
    }),
  );
});

test('epochs and seeds give other orders; the same gives the same', () => {
  const first = order(100, 1n, 0);
  assert.deepEqual(order(100, 1n, 0), first);
  for (const [seed, epoch] of [
    [1n, 1],
    [2n, 0],
    [1n + 2n ** 32n, 0],
  ] as const) {
    // Places that two random permutations share are one on average, Poisson: above ten once in 10^8.
    const shared = order(100, seed, epoch).filter((example, place) => example === first[place]).length;
    assert.ok(shared <= 10, `seed ${seed}, epoch ${epoch}: ${shared} places agree`);
  }
});

test('over epochs every example is as often in every place', () => {
  const n = 10;
  const total = 5000;
  const counts = new Float64Array(n * n);
  for (let epoch = 0; epoch < total; epoch++) {
    order(n, 42n, epoch).forEach((example, place) => {
      counts[place * n + example]! += 1;
    });
  }
  // A table with both margins fixed has (n − 1)² degrees of freedom, and this one's χ² is n / (n − 1) times
  // as large as that of independent rows.
  const places = (chiSquare(counts, total / n) * (n - 1)) / n;
  assert.ok(places < chiSquareCritical((n - 1) ** 2, FOUR_SIGMA), `all places: χ² ${places}`);
  const firstPlace = chiSquare(counts.subarray(0, n), total / n);
  assert.ok(firstPlace < chiSquareCritical(n - 1, FOUR_SIGMA), `the first place: χ² ${firstPlace}`);
});
