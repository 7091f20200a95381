// Every expected value is worked out by hand in the comment beside it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidedBytes } from '#src/worker/decisions.js';
import {
  DistributedStep,
  type DistributedStepOptions,
  EAGER_BYTES,
  FRAME_OVERHEAD,
  FRAME_PAYLOAD,
  type HostCosts,
  type Link,
  type StepTimes,
  secondsOf,
  wireBytes,
} from '../../bench/networkModel.js';

const COSTS: HostCosts = { gradient: 3, add: 0.01, update: 0.2 };
const NO_COST: HostCosts = { gradient: 0, add: 0, update: 0 };
const LINK: Link = { latency: 1e-4, bandwidth: 1e9, message: 0 };

const times = (step: DistributedStepOptions, costs: HostCosts, link: Link): StepTimes =>
  new DistributedStep(step).times(costs, link);

/** Bytes of what a host decides in a step, which it tells all others beside its parameters. */
function decided(host: number): number {
  const { first, end } = decidedBytes(host);
  return end - first;
}

/** Sums of a few terms in floating point. */
function assertNear(value: number, expected: number): void {
  assert.ok(Math.abs(value - expected) <= 1e-12 * Math.abs(expected), `${value} is not ${expected}`);
}

test('one host: no network; its gradient, and the optimizer on all parameters', () => {
  const step = new DistributedStep({ parameters: 160, shards: 8, hosts: 1 });
  const alone = step.times(COSTS, LINK);
  assert.equal(alone.gradient, 3);
  // 160 · 0.2
  assertNear(alone.update, 32);
  for (const exchange of [alone.gradientExchange, alone.parameterExchange]) {
    assert.deepEqual(exchange, { latency: 0, transfer: 0 });
  }
  assert.equal(alone.network, 0);
  assert.equal(step.bytes, 0);
  assertNear(alone.total, 35);
});

test('a host adds the sums of all hosts, and updates, on its slice alone', () => {
  // 10 units of 64 floats, 5 a host: 320 · (1 · 0.01 + 0.2).
  assertNear(times({ parameters: 640, shards: 16, hosts: 2 }, COSTS, LINK).update, 67.2);
  // 192 floats are 3 units: slices of 64 and 128 floats on two hosts. The longest one counts.
  assertNear(times({ parameters: 192, shards: 2, hosts: 2 }, COSTS, LINK).update, 128 * 0.21);
  // 160 floats are 3 units, the last one shorter: 64 and 96.
  assertNear(times({ parameters: 160, shards: 2, hosts: 2 }, COSTS, LINK).update, 96 * 0.21);
  // Three hosts have shards 0 1, 2 3 4 and 5 6 7 of 8. The tree is ((0 1)(2 3))((4 5)(6 7)). The first host
  // holds the sum 0 1, the second one 2 3 and 4, the third one 5 and 6 7. These are 5 sums, so 4 additions
  // are left. Each host updates 64 of the 192 floats.
  assertNear(times({ parameters: 192, shards: 8, hosts: 3 }, COSTS, LINK).update, 64 * (4 * 0.01 + 0.2));
});

for (const [parameters, hosts] of [
  [640, 2],
  [652_800, 2],
  [4096, 4],
  [70_144, 8],
  [425_984, 256],
] as const) {
  test(`${parameters} parameters, ${hosts} hosts: a host sends 2 · (n − 1) / n · P floats a step`, () => {
    const step = new DistributedStep({ parameters, shards: 2 * hosts, hosts });
    const others = hosts - 1;
    // Besides, to each of the others: the terms of 2 shards (32 bytes each), and what was decided.
    for (let host = 0; host < hosts; host++) {
      const floats = (others * parameters) / hosts;
      assert.equal(step.gradients[host]!.bytes, 4 * floats + others * 64);
      assert.equal(step.parameters[host]!.bytes, 4 * floats + others * decided(host));
      // Two messages to each of the others and two from each, in both exchanges.
      assert.equal(step.gradients[host]!.messages, 4 * others);
      assert.equal(step.parameters[host]!.messages, 4 * others);
    }
    assert.equal(step.bytes, (8 * others * parameters) / hosts + others * (64 + decided(0)));
  });
}

test('a host that holds two sums sends both', () => {
  // As above: the second and the third host of 3 have 2 sums each, the first one has 1. 64 floats, 256 bytes,
  // of each sum to each of the others; terms of 2, 3 and 3 shards.
  const { gradients } = new DistributedStep({ parameters: 192, shards: 8, hosts: 3 });
  assert.deepEqual(
    gradients.map(({ bytes }) => bytes),
    [2 * (256 + 2 * 32), 2 * (2 * 256 + 3 * 32), 2 * (2 * 256 + 3 * 32)],
  );
});

test('the busier direction of a link counts, frames and all', () => {
  // Host 0 owns 64 of the floats and host 1 the other 128. So host 0 sends 128 floats (512 bytes) of its
  // gradient, and host 1 sends 64. The terms of one shard, 32 bytes, have a frame of their own.
  const { gradientExchange, parameterExchange } = times(
    { parameters: 192, shards: 2, hosts: 2 },
    NO_COST,
    LINK,
  );
  assertNear(gradientExchange.transfer, (8 * (512 + 90 + 32 + 90)) / 1e9);
  // Host 1 sends 512 bytes of the parameters and host 0 sends 256; each tells what it decides.
  const busier = Math.max(512 + decided(1), 256 + decided(0)) + 2 * 90;
  assertNear(parameterExchange.transfer, (8 * busier) / 1e9);
});

test('without a limit of bandwidth only the latency is left', () => {
  const link = { ...LINK, bandwidth: Number.POSITIVE_INFINITY };
  // Two exchanges, one crossing each.
  assertNear(times({ parameters: 1600, shards: 8, hosts: 8 }, NO_COST, link).total, 2e-4);
  // Slices of more than 65,536 bytes ask first: three crossings in each exchange.
  assertNear(times({ parameters: 64_000, shards: 2, hosts: 2 }, NO_COST, link).total, 6e-4);
});

test('a message asks first only above the eager limit', () => {
  const latencyOf = (floats: number) =>
    times({ parameters: 2 * floats, shards: 2, hosts: 2 }, NO_COST, LINK).gradientExchange.latency;
  assertNear(latencyOf(EAGER_BYTES / 4), 1e-4);
  assertNear(latencyOf(EAGER_BYTES / 4 + 64), 3e-4);
});

test('twice the bandwidth halves the transfer, and leaves the latency', () => {
  const step = new DistributedStep({ parameters: 652_824, shards: 16, hosts: 2 });
  const one = step.times(NO_COST, LINK);
  const two = step.times(NO_COST, { ...LINK, bandwidth: 2e9 });
  for (const exchange of ['gradientExchange', 'parameterExchange'] as const) {
    assertNear(two[exchange].transfer, one[exchange].transfer / 2);
    assert.equal(two[exchange].latency, one[exchange].latency);
  }
});

test('the network of 2 hosts at 1 Gbit/s, in full', () => {
  // mlp: 652,824 parameters are 652,832 with padding, 10,201 units. Host 0 has 5,100 of them, 326,400 floats,
  // host 1 the other 326,432: 1,305,728 bytes, 901.7 frames, so 902. On the wire 1,305,728 + 902 · 90 =
  // 1,386,908 bytes, 128 more than host 0's; the terms of 8 shards are 256 + 90 bytes. What a host decides
  // has 90 more than its bytes, and host 0's is less than 128 bytes longer than host 1's.
  const mlp = times({ parameters: 652_824, shards: 16, hosts: 2 }, NO_COST, LINK);
  assertNear(mlp.gradientExchange.transfer, (8 * (1_386_908 + 346)) / 1e9);
  assertNear(mlp.parameterExchange.transfer, (8 * (1_386_908 + decided(1) + 90)) / 1e9);
  assertNear(mlp.network, (8 * (2 * 1_386_908 + 346 + decided(1) + 90)) / 1e9 + 6e-4);
});

test('frames: one for each 1,448 bytes begun', () => {
  assert.equal(wireBytes(0), 0);
  assert.equal(wireBytes(1), 1 + FRAME_OVERHEAD);
  assert.equal(wireBytes(FRAME_PAYLOAD), FRAME_PAYLOAD + FRAME_OVERHEAD);
  assert.equal(wireBytes(FRAME_PAYLOAD + 1), FRAME_PAYLOAD + 1 + 2 * FRAME_OVERHEAD);
});

test('many small messages cost their software, not their bytes', () => {
  // 255 others, 2 messages to each and 2 from each: 1,020 of 1 µs. 64 floats and terms of 32 bytes to each
  // are 255 · (346 + 122) · 8 bits: 0.95 ms at 1 Gbit/s, which is less.
  const step = new DistributedStep({ parameters: 16_384, shards: 256, hosts: 256 });
  const link = { ...LINK, message: 1e-6 };
  assertNear(step.times(NO_COST, link).gradientExchange.transfer, 1020e-6);
  // At 0.1 Gbit/s the link is slower than the software.
  const slow = step.times(NO_COST, { ...link, bandwidth: 1e8 });
  assertNear(slow.gradientExchange.transfer, (255 * (346 + 122) * 8) / 1e8);
});

test('overlap hides transfer of the first exchange behind the gradient, and no more than there is', () => {
  const step: DistributedStepOptions = { parameters: 652_824, shards: 16, hosts: 2 };
  // The first exchange has 11.1 ms of transfer: 4 of them go on beside the second half of the gradient.
  const costs: HostCosts = { ...NO_COST, gradient: 8e-3 };
  const plain = times(step, costs, LINK);
  assertNear(times({ ...step, overlap: 0.5 }, costs, LINK).total, plain.total - 4e-3);
  const hidden = times({ ...step, overlap: 1 }, { ...costs, gradient: 1 }, LINK);
  // All transfer is hidden, the latency is not.
  assertNear(hidden.network, 3e-4 + secondsOf(hidden.parameterExchange));
});
