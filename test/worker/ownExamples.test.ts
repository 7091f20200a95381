import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partRange } from '#src/collective/parts.js';
import { processRange } from '#src/collective/processPlace.js';
import { countOwnExamples, ownPlaces } from '#src/worker/ownExamples.js';

/** Sizes of an epoch, and processes that share its shards. */
const epochs = fc
  .record({
    trainCount: fc.integer({ min: 1, max: 300 }),
    batchSize: fc.integer({ min: 1, max: 70 }),
    shards: fc.integer({ min: 1, max: 12 }),
  })
  .chain((sizes) =>
    fc.integer({ min: 1, max: sizes.shards }).map((processes) => ({
      ...sizes,
      processes,
      stepsPerEpoch: Math.ceil(sizes.trainCount / sizes.batchSize),
    })),
  );

test('the examples of all processes are those of the epoch, each of one process', () => {
  fc.assert(
    fc.property(epochs, ({ processes, ...settings }) => {
      const owners = new Int32Array(settings.trainCount);
      for (let process = 0; process < processes; process++) {
        let count = 0;
        for (const { first, end } of ownPlaces(settings, { processes, process })) {
          for (let place = first; place < end; place++) owners[place]!++;
          count += end - first;
        }
        assert.equal(countOwnExamples(settings, { processes, process }), count);
      }
      assert.ok(owners.every((owner) => owner === 1));
    }),
  );
});

test('an example belongs to the process that has its shard', () => {
  fc.assert(
    fc.property(epochs, ({ processes, ...settings }) => {
      const { batchSize, shards, trainCount } = settings;
      for (let process = 0; process < processes; process++) {
        const own = processRange(shards, { processes, process });
        const stretches = [...ownPlaces(settings, { processes, process })];
        assert.equal(stretches.length, settings.stepsPerEpoch);
        stretches.forEach((stretch, step) => {
          const begin = step * batchSize;
          const examples = Math.min(batchSize, trainCount - begin);
          assert.equal(stretch.first - begin, partRange(examples, shards, own.first).first);
          assert.equal(stretch.end - begin, partRange(examples, shards, own.end - 1).end);
        });
      }
    }),
  );
});
