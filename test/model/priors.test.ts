// What every prior must do: gradients, density, draws, and bits that no split of the rows changes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KernelRandom } from '#src/inference/kernelRandom.js';
import { compileKernels } from '#src/kernels/kernels.js';
import { PRIOR_PURPOSES, randomKey } from '#src/kernels/stream.js';
import type { Choice } from '#src/model/hyperparameter.js';
import { excessGradient, logExcess } from '#src/model/priors/correction.js';
import type { Numbers, PriorDensity } from '#src/model/priors/prior.js';
import {
  PRIORS,
  type PriorName,
  priorOf,
  priorParameters,
  STANDARD_NORMAL,
} from '#src/model/priors/registry.js';
import { standardNormalDensity } from '#src/model/priors/standardNormal.js';
import { drawPrior } from '#src/sampling/priorDraws.js';
import { draw } from '../reference/smallModels.js';

const choices: readonly Choice<PriorName>[] = [
  STANDARD_NORMAL,
  { name: 'mixture', values: { priorComponents: 1 } },
  { name: 'mixture', values: { priorComponents: 4 } },
];

test('every prior of the registry is tested', () => {
  assert.deepEqual(new Set(choices.map(({ name }) => name)), new Set(Object.keys(PRIORS)));
});

function sizeOf(choice: Choice<PriorName>, latent: number): number {
  return priorParameters(choice, latent).reduce(
    (sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1),
    0,
  );
}

function densityAt(choice: Choice<PriorName>, latent: number, parameters: Numbers): PriorDensity {
  return priorOf(choice.name).create(latent, choice.values, parameters);
}

/** (f(h) − f(−h)) / 2h errs by h² f‴ / 6 and by the rounding of f over h: some 1e-10 for f near 1. */
const STEP = 1e-5;
const OFF = 1e-8;

function assertSlope(at: (by: number) => number, slope: number, what: string): void {
  const difference = (at(STEP) - at(-STEP)) / (2 * STEP);
  assert.ok(Math.abs(difference - slope) <= OFF, `${what}: ${slope}, by differences ${difference}`);
}

const rows = 5;

for (const choice of choices) {
  const { name, values } = choice;
  describe([name, ...Object.values(values)].join(' '), () => {
    for (const latent of [1, 3, 6]) {
      const parameters = draw(sizeOf(choice, latent), 3);
      const z = draw(rows * latent, 4, 2);
      const density = densityAt(choice, latent, parameters);

      test(`d = ${latent}: the gradient in z is that of log p(z)`, () => {
        const gradient = new Float64Array(rows * latent).fill(Number.NaN);
        for (let row = 0; row < rows; row++) density.gradient(z, row, gradient);
        z.forEach((value, i) => {
          const row = Math.floor(i / latent);
          const at = (by: number) => density.logDensity(z.with(i, value + by), row);
          assertSlope(at, gradient[i]!, `z[${i}]`);
        });
      });

      test(`d = ${latent}: the gradient of the parameters, weighted, added to what is there`, () => {
        const weights = draw(rows, 5);
        const sums = new Float64Array(parameters.length).fill(0.5);
        for (let row = 0; row < rows; row++) density.addParameterGradient(z, row, weights[row]!, sums);
        parameters.forEach((value, i) => {
          const at = (by: number) => {
            const moved = densityAt(choice, latent, parameters.with(i, value + by));
            return weights.reduce((sum, weight, row) => sum + weight * moved.logDensity(z, row), 0);
          };
          assertSlope(at, sums[i]! - 0.5, `parameter ${i}`);
        });
      });

      test(`d = ${latent}: what the kernels lack is the difference to N(0, I), with its gradient`, () => {
        const normal = standardNormalDensity(latent);
        const [excess, own] = [new Float64Array(rows * latent), new Float64Array(rows * latent)];
        for (let row = 0; row < rows; row++) {
          const difference = density.logDensity(z, row) - normal.logDensity(z, row);
          assert.equal(logExcess(density, z, row), difference);
          excessGradient(density, z, row, excess);
          density.gradient(z, row, own);
        }
        assert.deepEqual(
          excess,
          own.map((value, i) => value + z[i]!),
        );
        if (priorOf(name).inKernels) assert.ok(excess.every((value) => value === 0));
      });

      test(`d = ${latent}: no split of the rows, and neither float32 nor other rows, changes a bit`, () => {
        const single = Float32Array.from(z);
        const [whole, apart] = [new Float64Array(rows * latent), new Float64Array(rows * latent)];
        const [sums, moved] = [new Float64Array(parameters.length), new Float64Array(parameters.length)];
        for (let row = rows - 1; row >= 0; row--) {
          const own = single.slice(row * latent, (row + 1) * latent);
          assert.equal(density.logDensity(own, 0), density.logDensity(z, row));
          density.gradient(single, row, whole);
          density.gradient(own, 0, apart.subarray(row * latent));
          density.addParameterGradient(z, row, 0.3, sums);
          density.addParameterGradient(own, 0, 0.3, moved);
        }
        assert.deepEqual(apart, whole);
        assert.deepEqual(moved, sums);
      });

      test(`d = ${latent}: other parameters count from the next refresh on`, () => {
        const changing = parameters.slice();
        const other = densityAt(choice, latent, changing);
        changing.set(draw(changing.length, 9));
        other.refresh();
        assert.equal(other.logDensity(z, 1), densityAt(choice, latent, changing.slice()).logDensity(z, 1));
      });

      test(`d = ${latent}: NaN in z or in any parameter is NaN in the density`, () => {
        assert.ok(Number.isNaN(density.logDensity(z.with(0, Number.NaN), 0)));
        parameters.forEach((_, i) => {
          const broken = densityAt(choice, latent, parameters.with(i, Number.NaN));
          assert.ok(Number.isNaN(broken.logDensity(z, 2)), `parameter ${i}`);
        });
      });
    }

    const parameters = draw(sizeOf(choice, 1), 6, 2);
    const density = densityAt(choice, 1, parameters);

    test('d = 1: the density integrates to 1, and draws have its moments within five standard errors', () => {
      // Means and log-variances lie within ±2, so ±40 holds all but e^−90 of the mass. The trapezoid rule
      // has the precision of float64 for functions as smooth: the narrowest deviation is e^−1.
      const step = 1 / 64;
      const grid = Array.from({ length: 80 * 64 + 1 }, (_, i) => i * step - 40);
      const mean = (own: (value: number) => number) =>
        grid.reduce((sum, at) => sum + own(at) * Math.exp(density.logDensity(Float64Array.of(at), 0)), 0) *
        step;
      assert.ok(Math.abs(mean(() => 1) - 1) < 1e-12, `integral ${mean(() => 1)}`);
      const count = 100_000;
      const z = drawn(density, count, 8);
      const statistics: readonly ((value: number) => number)[] = [
        (value) => value,
        (value) => value ** 2,
        (value) => value ** 3,
        (value) => (value < 0.3 ? 1 : 0),
        (value) => Math.cos(value),
      ];
      for (const statistic of statistics) {
        const expected = mean(statistic);
        const deviation = Math.sqrt(mean((value) => (statistic(value) - expected) ** 2));
        const found = z.reduce((sum, value) => sum + statistic(value), 0) / count;
        // A step of the indicator falls between points of the grid.
        const limit = (5 * deviation) / Math.sqrt(count) + step;
        assert.ok(Math.abs(found - expected) <= limit, `${statistic}: ${found}, expected ${expected}`);
      }
    });

    test('draws of one example do not depend on the others, nor on their number', () => {
      const [all, more] = [drawn(density, 12, 4), drawn(density, 15, 5)];
      assert.deepEqual(more.subarray(0, 12), all);
      assert.deepEqual(drawn(density, 12, 4), all);
    });
  });
}

const module = compileKernels('portable');

/** `count` draws of d = 1, for so many examples. */
function drawn(density: PriorDensity, count: number, examples: number): Float32Array {
  const z = new Float32Array(count);
  drawPrior(density, z, {
    random: new KernelRandom(module, randomKey(5n)),
    positions: Array.from({ length: examples }, (_, i) => i),
    step: 0,
    purpose: PRIOR_PURPOSES.sample,
  });
  return z;
}
