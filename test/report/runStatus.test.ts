import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { progressLine } from '#src/report/phrases.js';
import { formatBytes, formatDuration, formatRate } from '#src/report/quantity.js';
import { RunStatus } from '#src/report/runStatus.js';
import { epochDone, progress, started, TestClock } from './exampleRun.js';

/** A run that has taken `steps` steps, in `seconds` seconds each. */
function follow(status: RunStatus, from: { step: number; seconds: number }, steps: number, seconds: number) {
  let [step, total] = [from.step, from.seconds];
  for (let i = 0; i < steps; i++) {
    step += 1;
    total += seconds;
    status.follow({ ...progress(step), seconds: total });
  }
  return { step, seconds: total };
}

describe('RunStatus', () => {
  it('forgets the pace of the past, but not at once', () => {
    const status = new RunStatus(new TestClock().read);
    status.follow(started);
    const slow = follow(status, { step: 0, seconds: 0 }, 100, 0.1);
    assert.ok(Math.abs(status.imagesPerSecond! - 320) < 1e-6);
    const soon = follow(status, slow, 100, 0.01);
    // After 1 s of the new pace and 10 s of the old, these count e^-0.1 (1 - e^-1) and 1 - e^-0.1 (in parts
    // of the memory of 10 s), so that the rate is that mean of 320 and 3,200.
    const weights = { old: Math.exp(-0.1) * (1 - Math.exp(-1)), new: 1 - Math.exp(-0.1) };
    const expected = (320 * weights.old + 3200 * weights.new) / (weights.old + weights.new);
    // Steps of 0.1 s are counted whole where the formula decays within them: 0.1 / 10 / 2 of each weight.
    assert.ok(Math.abs(status.imagesPerSecond! - expected) < expected * 0.01);
    follow(status, soon, 10_000, 0.01);
    // e^-10 of the old pace is left.
    assert.ok(Math.abs(status.imagesPerSecond! - 3200) < 3200 * 1e-4);
  });

  it('counts the evaluations to come as long as the last one', () => {
    const clock = new TestClock();
    const status = new RunStatus(clock.read);
    status.follow({ ...started, config: { epochs: 10 }, endStep: 10_000 });
    assert.equal(status.secondsLeft, undefined);
    status.follow(progress(1000));
    assert.equal(status.secondsLeft, 90);
    status.follow({ kind: 'evaluating', epoch: 1, step: 1000 });
    clock.pass(3);
    status.follow(epochDone(1));
    clock.pass(1);
    status.follow({ kind: 'picture', path: 'a.png' });
    assert.equal(status.secondsLeft, 90 + 9 * 4);
  });

  it('counts no evaluation for a run that ends within an epoch', () => {
    const clock = new TestClock();
    const status = new RunStatus(clock.read);
    status.follow({ ...started, endStep: 1500 });
    status.follow(progress(1000));
    status.follow({ kind: 'evaluating', epoch: 1, step: 1000 });
    clock.pass(3);
    status.follow(epochDone(1));
    assert.equal(status.secondsLeft, 5);
  });

  it('averages the ELBO, and gets over one that is not finite', () => {
    const status = new RunStatus(new TestClock().read);
    status.follow(started);
    status.follow(progress(1, -200));
    status.follow(progress(2, -100));
    // The older of two equally long measurements counts e^-0.001 of the newer.
    assert.ok(Math.abs(status.elbo! + 150) < 0.03);
    status.follow(progress(3, Number.NEGATIVE_INFINITY));
    assert.equal(status.elbo, Number.NEGATIVE_INFINITY);
    status.follow(progress(4, -90));
    assert.equal(status.elbo, -90);
    assert.equal(status.bound, undefined);
  });

  it('tells the bound of an objective that has one in place of the ELBO', () => {
    const status = new RunStatus(new TestClock().read);
    status.follow(started);
    for (const [step, bound] of [
      [1, -150],
      [2, -90],
    ] as const) {
      const event = progress(step);
      status.follow({ ...event, batch: { ...event.batch, bound } });
    }
    assert.ok(Math.abs(status.bound! + 120) < 0.03);
    assert.match(progressLine(status), / {2}bound -119\.\d\d nats {2}| {2}bound -120\.\d\d nats {2}/);
    assert.doesNotMatch(progressLine(status), /ELBO/);
  });

  it('tells the share of exchanges where processes train together', () => {
    const status = new RunStatus(new TestClock().read);
    status.follow(started);
    status.follow(progress(1));
    assert.doesNotMatch(progressLine(status), /exchange/);
    status.follow({ ...progress(2), exchangeShare: 0.123 });
    assert.match(progressLine(status), / images\/s {2}12 % in exchange {2}ELBO /);
  });
});

describe('quantities', () => {
  it('are written for people', () => {
    const durations = [-1, 0.4, 59.4, 59.6, 200, 3599.6, 7500, 90_000, 273_600].map(formatDuration);
    assert.deepEqual(durations, [
      '0 s',
      '0 s',
      '59 s',
      '1 m 00 s',
      '3 m 20 s',
      '1 h 00 m',
      '2 h 05 m',
      '1 d 01 h',
      '3 d 04 h',
    ]);
    assert.deepEqual([0.04, 3.44, 99.94, 100.4, 52_104.6].map(formatRate), [
      '0.0',
      '3.4',
      '99.9',
      '100',
      '52,105',
    ]);
    assert.deepEqual([1, 2 ** 20, 2 ** 31].map(formatBytes), ['1 MiB', '1 MiB', '2,048 MiB']);
  });
});
