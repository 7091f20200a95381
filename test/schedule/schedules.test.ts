import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfCosine } from '#src/arithmetic/halfCosine.js';
import { SCHEDULES, type ScheduleName, scheduled } from '#src/schedule/registry.js';

const run = { stepsPerEpoch: 7, epochs: 6 };
const STEPS = run.stepsPerEpoch * run.epochs;

function valuesOf(name: ScheduleName, values: Readonly<Record<string, number>>): number[] {
  const at = scheduled(0.3, { name, values }, run);
  return Array.from({ length: STEPS }, (_, step) => at(step));
}

test('constant: the value itself at every step', () => {
  assert.ok(valuesOf('constant', {}).every((value) => value === 0.3));
});

test('warm-up: rises in equal steps, reaches the value with its last step, then stays', () => {
  const values = valuesOf('warmup', { warmupEpochs: 2 });
  values.forEach((value, step) => {
    const expected = step < 14 ? (0.3 * (step + 1)) / 14 : 0.3;
    assert.equal(value, expected);
  });
  assert.ok(valuesOf('warmup', { warmupEpochs: 0 }).every((value) => value === 0.3));
  // Epochs need not be whole: 0.5 of 7 steps are 4.
  assert.equal(valuesOf('warmup', { warmupEpochs: 0.5 })[2], (0.3 * 3) / 4);
});

test('cosine: ½ (1 + cos πt/T) of the value, 0 behind the last step; after a warm-up the rest of the epochs', () => {
  for (const warmupEpochs of [0, 2]) {
    const warm = 7 * warmupEpochs;
    valuesOf('cosine', { warmupEpochs }).forEach((value, step) => {
      const turn = (step - warm) / (STEPS - warm);
      const expected = step < warm ? (0.3 * (step + 1)) / warm : 0.3 * (0.5 + 0.5 * Math.cos(Math.PI * turn));
      // Where the cosine is near −1 its sum with 1 loses what Math.cos rounds: 2⁻⁵³ of 1.
      assert.ok(Math.abs(value - expected) <= 0.3 * 4 * 2 ** -53, `step ${step}: ${value}, ${expected}`);
    });
    assert.equal(scheduled(0.3, { name: 'cosine', values: { warmupEpochs } }, run)(STEPS), 0);
  }
});

test('cosine: a warm-up as long as the run leaves nothing to fall', () => {
  const values = valuesOf('cosine', { warmupEpochs: 6 });
  assert.equal(values.at(-1), 0.3);
  assert.ok(values.every(Number.isFinite));
});

test("stages: the rates of Burda et al.'s code, 1e-4 round(10^(1 − (i − 1) / 7), 1) for 3^(i − 1) epochs", () => {
  const length = { stepsPerEpoch: 2, epochs: 3280 };
  const at = scheduled(1e-3, { name: 'stages', values: {} }, length);
  let step = 0;
  for (let i = 1; i <= 8; i++) {
    const rate = 1e-4 * (Math.round(10 ** (1 - (i - 1) / 7) * 10) / 10);
    for (let end = step + 2 * 3 ** (i - 1); step < end; step++) {
      const value = at(step);
      // Two roundings here, and two there.
      assert.ok(Math.abs(value - rate) <= 4 * 2 ** -53 * rate, `stage ${i}, step ${step}: ${value}, ${rate}`);
    }
    assert.equal(SCHEDULES.stages.stages?.epochs(i), step / 2);
  }
  assert.equal(step / 2, 3280);
  assert.equal(at(step), at(step - 1), 'behind the last stage its rate stays');
});

test('schedules say whether they depend on the number of epochs, and do', () => {
  for (const [name, { dependsOnEpochs }] of Object.entries(SCHEDULES)) {
    const values = { warmupEpochs: 1 };
    const at = (epochs: number) =>
      scheduled(0.3, { name: name as ScheduleName, values }, { stepsPerEpoch: 7, epochs });
    const differs = Array.from({ length: STEPS }, (_, step) => step).some(
      (step) => at(6)(step) !== at(9)(step),
    );
    assert.equal(differs, dependsOnEpochs, name);
  }
});

test('halfCosine: within 8 · 2⁻⁵³ of itself on [0, 1], against sin² of float64', () => {
  assert.equal(halfCosine(0), 1);
  assert.equal(halfCosine(1), 0);
  for (let i = 0; i <= 100_000; i++) {
    const u = i / 100_000;
    // Math.sin and Math.cos are within a unit in the last place, their squares within four of 2⁻⁵³, and so is
    // π/2 · u.
    const expected = u <= 0.5 ? Math.cos((Math.PI / 2) * u) ** 2 : Math.sin((Math.PI / 2) * (1 - u)) ** 2;
    const error = Math.abs(halfCosine(u) - expected);
    assert.ok(error <= (8 + 8) * 2 ** -53 * expected, `halfCosine(${u}) is off by ${error}`);
  }
});
