import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '#src/kernels/arena.js';

const sizes = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 10 });
const starts = fc.integer({ min: 0, max: 10_000 });

test('regions are aligned to cache lines, apart by the slack that vectors may read, in order', () => {
  fc.assert(
    fc.property(starts, sizes, (start, bytes) => {
      const arena = new Arena(start);
      let end = start;
      for (const size of bytes) {
        const address = arena.reserve(size);
        assert.equal(address % 64, 0);
        assert.ok(address >= end, `${address} lies in the region before, which ends at ${end}`);
        end = address + size + 128;
      }
      assert.ok(arena.end >= end);
    }),
  );
});

test('floats take four bytes, doubles eight', () => {
  const [floats, doubles] = [new Arena(0), new Arena(0)];
  floats.floats(1000);
  doubles.doubles(1000);
  assert.equal(floats.end, 4160); // 4000 + 128 of slack, to a multiple of 64
  assert.equal(doubles.end, 8128);
});

test('a plan at address 0 has the size and the offsets of a plan at another line', () => {
  fc.assert(
    fc.property(starts, sizes, (line, bytes) => {
      const start = 64 * line;
      const [plan, real] = [new Arena(0), new Arena(start)];
      for (const size of bytes) assert.equal(real.reserve(size) - start, plan.reserve(size));
      assert.equal(real.end - start, plan.end);
    }),
  );
});

test('materialize writes the tables, and nothing else', () => {
  const arena = new Arena(100);
  const first = arena.table([1, 2, 0xffffffff]);
  const region = arena.floats(3);
  const second = arena.table([7]);
  const words = new Uint32Array(arena.end / 4).fill(9);
  arena.materialize(words.buffer);
  const expected = new Uint32Array(words.length).fill(9);
  expected.set([1, 2, 0xffffffff], first / 4);
  expected.set([7], second / 4);
  assert.deepEqual(words, expected);
  assert.ok(first < region && region < second);
});

test('a run that needs more than 4 GiB is refused', () => {
  const arena = new Arena(0);
  arena.reserve(3 * 2 ** 30);
  assert.throws(() => arena.floats(2 ** 29), {
    name: 'RangeError',
    message:
      'The run needs more than 4 GiB of WebAssembly memory (5.0 GiB). ' +
      'Choose a smaller batch, fewer samples, fewer workers or a smaller model.',
  });
  // The slack behind the last region ends at 4 GiB at most.
  const room = 2 ** 32 - arena.end - 128;
  assert.throws(() => arena.reserve(room + 1), { name: 'RangeError' });
  arena.reserve(room);
  assert.equal(arena.end, 2 ** 32);
});

test('sizes beyond the numbers that float64 counts are refused, too', () => {
  assert.throws(() => new Arena(0).floats(Number.MAX_SAFE_INTEGER), { name: 'RangeError' });
  assert.throws(() => new Arena(0).floats(Number.POSITIVE_INFINITY), { name: 'RangeError' });
  assert.throws(() => new Arena(0).floats(Number.NaN), { name: 'RangeError' });
});
