// What every optimizer must do: the bits of its scalar reference, whoever updates which slice, and nothing
// beside the slice.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressOf } from '#src/kernels/address.js';
import { bindKernels, compileKernels } from '#src/kernels/kernels.js';
import { CheckedUpdate } from '#src/optimizer/checkedUpdate.js';
import { OPTIMIZERS, stateNames } from '#src/optimizer/registry.js';
import { createUpdate, stateTensors } from '#src/optimizer/updateRule.js';
import { sampleFloats } from '../kernels/float32.js';
import { assertSameBits, KernelHarness } from '../kernels/kernelHarness.js';
import {
  type OptimizerState,
  type ScalarUpdate,
  scalarOptimizers,
  scalarUpdates,
  type UpdateNumbers,
} from '../kernels/scalarOptimizers.js';
import { placeSlots, sampleSlots, sumSlots } from '../kernels/shardSlots.js';

const harness = new KernelHarness(1 << 20);

function startOf({ rule }: ScalarUpdate, count: number, seed: number): OptimizerState {
  return {
    parameters: sampleFloats(seed, count),
    // One of them may be a mean of squares.
    state: stateTensors(rule).map((_, i) => sampleFloats(seed + 1 + i, count).map(Math.abs)),
  };
}

/** Places parameters and state; `rounded` where the kernel may write whole pairs of vectors. */
function place(before: OptimizerState, rounded: boolean) {
  const count = before.parameters.length;
  const bytes = rounded ? Math.ceil(count / 8) * 32 : count * 4;
  const parameters = harness.inPlace(before.parameters, bytes);
  const state = before.state.map((tensor) => harness.inPlace(tensor, bytes));
  const read = (): OptimizerState => ({
    parameters: harness.floats(parameters, count),
    state: state.map((address) => harness.floats(address, count)),
  });
  return { slice: { parameters, state }, read };
}

function applySum(
  { rule }: ScalarUpdate,
  before: OptimizerState,
  shards: readonly Float32Array[],
  { t, learningRate, scale }: UpdateNumbers,
): OptimizerState {
  harness.reset();
  const { slice, read } = place(before, true);
  const { address, pitch } = placeSlots(harness, shards);
  harness.run((kernels) => {
    const update = createUpdate(kernels, rule);
    update.begin(t, learningRate, scale);
    update.applySum(slice, 0, address, pitch, shards.length, before.parameters.length);
  });
  return read();
}

function apply(
  { rule }: ScalarUpdate,
  before: OptimizerState,
  gradient: Float32Array,
  { t, learningRate, scale }: UpdateNumbers,
): OptimizerState {
  harness.reset();
  const { slice, read } = place(before, false);
  const source = harness.input(gradient);
  harness.run((kernels) => {
    const update = createUpdate(kernels, rule);
    update.begin(t, learningRate, scale);
    update.apply(slice, 0, source, before.parameters.length);
  });
  return read();
}

/** An update, of the sum of one shard or of a gradient, through CheckedUpdate; and whether it was finite. */
function checked(
  { rule }: ScalarUpdate,
  before: OptimizerState,
  gradient: Float32Array,
  { sum, learningRate }: { readonly sum: boolean; readonly learningRate: number },
): { readonly after: OptimizerState; readonly seen: boolean } {
  harness.reset();
  const { slice, read } = place(before, true);
  const { address, pitch } = placeSlots(harness, [gradient]);
  let seen = false;
  harness.run((kernels) => {
    const update = new CheckedUpdate(kernels, rule);
    // What was seen in an earlier update is forgotten.
    update.begin(numbers.t, Number.POSITIVE_INFINITY, numbers.scale);
    update.begin(numbers.t, learningRate, numbers.scale);
    const { length } = before.parameters;
    if (sum) update.applySum(slice, 0, address, pitch, 1, length);
    else update.apply(slice, 0, address, length);
    seen = update.isFinite;
  });
  return { after: read(), seen };
}

function assertSameState(actual: OptimizerState, expected: OptimizerState, what: string): void {
  assertSameBits(actual.parameters, expected.parameters, `${what}: parameters`);
  assert.equal(actual.state.length, expected.state.length);
  expected.state.forEach((tensor, i) => {
    assertSameBits(actual.state[i]!, tensor, `${what}: state ${i}`);
  });
}

const numbers = { t: 3, learningRate: 0.01, scale: 1 / 100 };

it('every optimizer of the registry has a reference', () => {
  const names = new Set(scalarOptimizers.map(({ choice }) => choice.name));
  assert.deepEqual([...names].sort(), Object.keys(OPTIMIZERS).sort());
});

for (const optimizer of scalarUpdates) {
  describe(optimizer.title, () => {
    it('on one gradient: the reference to the bit, and not a byte more, at every count to 33 and over a chunk', () => {
      for (const count of [...Array.from({ length: 33 }, (_, i) => i + 1), 2047, 2048, 2053]) {
        const before = startOf(optimizer, count, count);
        const gradient = sampleFloats(count + 500, count);
        const expected = optimizer.update(before, gradient, numbers);
        assertSameState(apply(optimizer, before, gradient, numbers), expected, `${count} floats`);
      }
    });

    it('on the sum of 1 to 9 and 16 shards: the reference on the sum in the fixed tree', () => {
      for (const shards of [1, 2, 3, 4, 5, 6, 7, 8, 9, 16]) {
        for (const count of [1, 7, 8, 45, 2053]) {
          const before = startOf(optimizer, count, shards);
          const slots = sampleSlots(shards, count, shards + 100);
          const expected = optimizer.update(before, sumSlots(slots), numbers);
          const what = `${shards} shards of ${count}`;
          assertSameState(applySum(optimizer, before, slots, numbers), expected, what);
        }
      }
    });

    it('every update has its own number and learning rate, and state goes on from update to update', () => {
      const count = 21;
      let actual = startOf(optimizer, count, 5);
      let expected = actual;
      for (let t = 1; t <= 20; t++) {
        const gradient = sampleFloats(t + 40, count);
        const each = { t, learningRate: 0.1 / t, scale: 1 / (t + 3) };
        actual = apply(optimizer, actual, gradient, each);
        expected = optimizer.update(expected, gradient, each);
      }
      assertSameState(actual, expected, 'after 20 updates');
    });

    it('an offset moves parameters and state alike', () => {
      const [count, offset] = [40, 16];
      const before = startOf(optimizer, count, 9);
      const gradient = sampleFloats(77, count);
      const expected = optimizer.update(before, gradient, numbers);
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      const kernels = bindKernels(compileKernels('portable'), memory);
      const floats = (address: number) => new Float32Array(memory.buffer, address, count);
      const addresses = [before.parameters, ...before.state].map((values, i) => {
        floats(1024 * (i + 1)).set(values);
        return addressOf(1024 * (i + 1));
      });
      floats(16384).set(gradient);
      const update = createUpdate(kernels, optimizer.rule);
      update.begin(numbers.t, numbers.learningRate, numbers.scale);
      const slice = { parameters: addresses[0]!, state: addresses.slice(1) };
      const bytes = offset * Float32Array.BYTES_PER_ELEMENT;
      update.apply(slice, bytes, addressOf(16384 + bytes), count - offset);
      const after = [expected.parameters, ...expected.state];
      [before.parameters, ...before.state].forEach((values, i) => {
        const kept = Float32Array.from(values);
        kept.set(after[i]!.subarray(offset), offset);
        assertSameBits(Float32Array.from(floats(addresses[i]!)), kept, `tensor ${i}`);
      });
    });

    /** What is seen is what is there, in a sum of shards and in one gradient. */
    const assertSeen = (
      gradientOf: (count: number) => Float32Array,
      learningRate: number,
      what: string,
      parameter?: number,
    ) => {
      const seenOf = new Set<boolean>();
      // A sum is rounded up to whole pairs of vectors, so it has none behind its end here.
      for (const [sum, count] of [
        [true, 8192],
        [false, 8195],
      ] as const) {
        const before = startOf(optimizer, count, 11);
        if (parameter !== undefined) before.parameters[count - 1] = parameter;
        const gradient = gradientOf(count);
        const expected = optimizer.update(before, gradient, { ...numbers, learningRate });
        const finite = [expected.parameters, ...expected.state].every((tensor) =>
          tensor.every(Number.isFinite),
        );
        const { after, seen } = checked(optimizer, before, gradient, { sum, learningRate });
        assertSameState(after, expected, what);
        assert.equal(seen, finite, `${what}, ${sum ? 'a sum' : 'one gradient'}`);
        seenOf.add(seen);
      }
      return seenOf;
    };

    it('checked: the same bits, and what is not finite is seen, wherever it stands', () => {
      for (const bad of [0, Number.NaN, Number.POSITIVE_INFINITY, -1e30, 1e38]) {
        for (const place of [0, 5, 2047, 2048, -4, -1]) {
          const gradientOf = (count: number) => {
            const gradient = sampleFloats(31, count);
            if (bad !== 0) gradient[(place + count) % count] = bad;
            return gradient;
          };
          assertSeen(gradientOf, numbers.learningRate, `${bad} at ${place}`);
        }
      }
    });

    it('checked: a finite update is one, though the sum of its numbers overflows', () => {
      // As Adam's second moments: 2e35 each.
      const seen = assertSeen((count) => new Float32Array(count).fill(1.5e21), 0.01, '1.5e21 everywhere');
      assert.deepEqual([...seen], [true]);
    });

    it('checked: a parameter that the learning rate alone makes infinite is seen', () => {
      for (const place of [3, -1]) {
        const gradientOf = (count: number) => {
          const gradient = new Float32Array(count);
          gradient[(place + count) % count] = 1e6;
          return gradient;
        };
        const seen = assertSeen(gradientOf, 1e38, `a learning rate of 1e38, at ${place}`);
        assert.deepEqual([...seen], [false]);
      }
    });

    it('checked: a parameter that its decay makes infinite is seen', () => {
      const seen = assertSeen((count) => sampleFloats(31, count), 250, 'a parameter of 3e38', 3e38);
      assert.deepEqual([...seen], [optimizer.rule.optimizer.name !== 'adamw']);
    });

    it('state names are its own, and as many as its tensors', () => {
      const names = stateTensors(optimizer.rule);
      assert.equal(new Set(names).size, names.length);
      for (const name of stateNames(optimizer.rule.optimizer)) assert.match(name, /^[a-z]+\/[a-z]+$/);
    });
  });
}
