// The named views on what ranks and the coordinator share: what one writes, the other reads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, addressOf } from '#src/kernels/address.js';
import { Decisions, decidedBytes, decisionBytes } from '#src/worker/decisions.js';
import { PHASE_TIMES_BYTES, PhaseTimes } from '#src/worker/phaseTimes.js';
import { PROGRESS_BYTES, RunProgress } from '#src/worker/runProgress.js';
import { StepRecords, stepRecordsBytes } from '#src/worker/stepRecords.js';
import { ExampleTerms, ShardTerms, shardTermsBytes } from '#src/worker/terms.js';

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Memory with other bytes before and behind a view, which must stay as they are. */
function guarded(bytes: number) {
  const before = 64;
  const buffer = new SharedArrayBuffer(before + bytes + 64);
  const all = new Uint8Array(buffer).fill(0xa5);
  all.fill(0, before, before + bytes);
  const intact = () => {
    assert.ok(all.subarray(0, before).every((byte) => byte === 0xa5));
    assert.ok(all.subarray(before + bytes).every((byte) => byte === 0xa5));
  };
  return { buffer, address: addressOf(before), intact };
}

test('step records: each step has its own, and another view reads what one wrote', () => {
  const steps = 3;
  const { buffer, address, intact } = guarded(stepRecordsBytes(steps));
  const record = (step: number) => ({
    ...{
      examples: 100 + step,
      logLikelihood: -2.5 - step,
      kl: 0.3 * step,
      bound: -3.25,
      acceptance: 0.5,
      beta: step / 7,
      gradientNorm: 40 + step,
    },
  });
  for (let step = 0; step < steps; step++) {
    const records = new StepRecords(buffer, address, steps);
    records.write(step, record(step));
    records.writeGradientNorm(step, record(step).gradientNorm);
  }
  for (let step = 0; step < steps; step++) {
    assert.deepEqual(new StepRecords(buffer, address, steps).read(step), record(step));
  }
  new StepRecords(buffer, address, steps).writeGradientNorm(2, 7);
  assert.deepEqual(new StepRecords(buffer, address, steps).read(2), { ...record(2), gradientNorm: 7 });
  assert.deepEqual(new StepRecords(buffer, address, steps).read(1), record(1));
  // A step that is computed again may be read meanwhile: it has been complete before.
  new StepRecords(buffer, address, steps).write(2, record(2));
  assert.deepEqual(new StepRecords(buffer, address, steps).read(2), { ...record(2), gradientNorm: 7 });
  intact();
});

test('terms: sums over examples and over shards are added in their order', () => {
  const count = 5;
  const { buffer, address } = guarded(4 * count * DOUBLE);
  const [logLikelihood, kl, bound, acceptance] = [0, 1, 2, 3].map((i) =>
    addressOf(address + i * count * DOUBLE),
  ) as [Address, Address, Address, Address];
  const terms = new ExampleTerms(buffer, { logLikelihood, kl, bound, acceptance }, count);
  // Numbers whose sum depends on the order.
  const values = [1e16, 1, -1e16, 3, 0.5];
  terms.logLikelihood.set(values);
  terms.kl.set([1, 2, 3, 4, 5]);
  terms.bound.set([5, 4, 3, 2, 1]);
  terms.acceptance.set([0.25, 0.5, 0.25, 0.125, 0.375]);
  assert.deepEqual(terms.sum(0, count), { logLikelihood: 3.5, kl: 15, bound: 15, acceptance: 1.5 });
  assert.deepEqual(terms.sum(1, 3), { logLikelihood: 1 - 1e16, kl: 5, bound: 7, acceptance: 0.75 });
  assert.deepEqual(terms.sum(2, 2), { logLikelihood: 0, kl: 0, bound: 0, acceptance: 0 });

  const shards = guarded(shardTermsBytes(3));
  const sums = new ShardTerms(shards.buffer, shards.address, 3);
  sums.write(0, { logLikelihood: 1e16, kl: 1, bound: 4, acceptance: 0.5 });
  sums.write(1, { logLikelihood: 1, kl: 2, bound: 5, acceptance: 0.25 });
  sums.write(2, { logLikelihood: -1e16, kl: 3, bound: 6, acceptance: 0.125 });
  assert.deepEqual(sums.total(), { logLikelihood: 0, kl: 6, bound: 15, acceptance: 0.875 });
  shards.intact();
});

test('terms: a copy lands where it is to, and copies no more than it is to', () => {
  const view = (fill: number) => {
    const { buffer, address } = guarded(16 * DOUBLE);
    const at = (i: number) => addressOf(address + i * 4 * DOUBLE);
    const places = { logLikelihood: at(0), kl: at(1), bound: at(2), acceptance: at(3) };
    const terms = new ExampleTerms(buffer, places, 4);
    const tensors = [terms.logLikelihood, terms.kl, terms.bound, terms.acceptance];
    for (const [i, tensor] of tensors.entries()) tensor.fill(fill + i);
    return terms;
  };
  const to = view(10);
  to.copy(1, view(20), 2);
  assert.deepEqual([...to.logLikelihood], [10, 20, 20, 10]);
  assert.deepEqual([...to.kl], [11, 21, 21, 11]);
  assert.deepEqual([...to.bound], [12, 22, 22, 12]);
  assert.deepEqual([...to.acceptance], [13, 23, 23, 13]);
});

test('progress: a request to stop becomes a decision for one step, and ranks have a step each', () => {
  const { buffer, address, intact } = guarded(PROGRESS_BYTES);
  const words = guarded(decisionBytes(1));
  const view = () => new RunProgress(buffer, address, new Decisions(words.buffer, words.address, 1, 0));
  const [rank, coordinator] = [view(), view()];
  rank.decideStop(4);
  assert.equal(rank.stopsAfter(4), false);
  coordinator.requestStop();
  assert.equal(rank.stopsAfter(4), false, 'asked for, not yet decided');
  rank.decideStop(5);
  assert.deepEqual(
    [4, 5, 6].map((step) => rank.stopsAfter(step)),
    [false, true, false],
  );
  rank.enter(0, 5);
  rank.enter(255, 6);
  assert.deepEqual([coordinator.stepOf(0), coordinator.stepOf(1), coordinator.stepOf(255)], [5, 0, 6]);
  rank.complete(5);
  assert.equal(coordinator.stepsCompleted, 6);
  rank.countEvaluated(3);
  rank.countEvaluated(4);
  assert.equal(coordinator.evaluated, 7);
  coordinator.resetEvaluated();
  assert.equal(rank.evaluated, 0);
  intact();
});

test('decisions: each process writes bytes of its own, and all of them together are the words', () => {
  const processes = 3;
  const views = Array.from({ length: processes }, (_, process) => {
    const { buffer, address, intact } = guarded(decisionBytes(processes));
    return { buffer, address, intact, decisions: new Decisions(buffer, address, processes, process) };
  });
  const [first, second, third] = views.map(({ decisions }) => decisions) as [Decisions, Decisions, Decisions];
  first.decideStop(7);
  first.decideSnapshot(9);
  second.askToStop();
  third.refuse(4);
  assert.equal(second.stopsAfter(7), false, 'before the exchange');
  assert.equal(second.isRefused(4), false);
  assert.equal(first.isStopAsked, false);
  let next = 0;
  for (const [process, from] of views.entries()) {
    const { first: begin, end } = decidedBytes(process);
    assert.equal(begin, next, 'parts are contiguous, in the order of the processes');
    next = end;
    const bytes = new Uint8Array(from.buffer, from.address + begin, end - begin);
    for (const to of views) new Uint8Array(to.buffer, to.address + begin).set(bytes.slice());
  }
  assert.equal(next, decisionBytes(processes));
  assert.deepEqual(
    views.map(({ decisions }) => decisions.isStopAskedElsewhere),
    [true, false, true],
  );
  for (const { decisions, intact } of views) {
    assert.equal(decisions.stopsAfter(7), true);
    assert.equal(decisions.isSnapshotDue(9), true);
    assert.equal(decisions.isStopAsked, true);
    assert.deepEqual(
      [3, 4, 5].map((step) => decisions.isRefused(step)),
      [false, true, false],
    );
    decisions.forgetRefusals();
    decisions.withdrawStop();
    assert.deepEqual(
      [decisions.isRefused(4), decisions.stopsAfter(7), decisions.isStopAsked],
      [false, false, false],
    );
    intact();
  }
});

test('phase times add up, and shares are of their sum', () => {
  const { buffer, address, intact } = guarded(PHASE_TIMES_BYTES);
  const times = new PhaseTimes(buffer, address);
  times.add('gradient', 2);
  times.add('gradient', 1);
  times.add('barrier', 1);
  assert.equal(new PhaseTimes(buffer, address).share('gradient'), 0.75);
  assert.equal(times.share('update'), 0);
  times.reset();
  times.add('update', 5);
  assert.equal(times.share('update'), 1);
  intact();
});
