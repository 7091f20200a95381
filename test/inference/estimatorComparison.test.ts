import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareEstimators } from '#src/inference/estimatorComparison.js';
import { LatentModel } from '#src/inference/latentModel.js';
import { ESTIMATORS } from '#src/objective/estimators/registry.js';
import { drawInputs, smallModels } from '../reference/smallModels.js';

const model = smallModels.find(({ name }) => name === 'dense')!;
const { parameters, x } = drawInputs(model, 3, 1, 7);
const common = {
  model: new LatentModel(model, Float32Array.from(parameters)),
  x: Float32Array.from(x),
  draws: 600,
  seed: 3,
} as const;

test('of the IWAE bound: sticking the landing has a bias, the others none, and the baseline lowers variance', () => {
  const { figures, squaredNorm } = compareEstimators({ ...common, objective: 'iwae', samples: 4 });
  assert.deepEqual(
    figures.map(({ estimator }) => estimator),
    Object.keys(ESTIMATORS),
  );
  assert.ok(squaredNorm > 0);
  for (const { estimator, squaredBias } of figures) {
    if (squaredBias === undefined) continue;
    const errors = squaredBias.value / squaredBias.standardError;
    if (estimator === 'sticking-the-landing') assert.ok(errors > 4, `${estimator}: ${errors}`);
    else assert.ok(Math.abs(errors) < 4, `${estimator}: ${errors} standard errors`);
  }
  const variance = Object.fromEntries(figures.map((row) => [row.estimator, row.variance]));
  assert.ok(variance['score-function-baseline']! < variance['score-function']!);
});

test('of one draw: without the baseline, and the same figures again', () => {
  const options = { ...common, objective: 'elbo', samples: 1, draws: 20 } as const;
  const { figures } = compareEstimators(options);
  assert.ok(!figures.some(({ estimator }) => estimator === 'score-function-baseline'));
  assert.deepEqual(compareEstimators(options).figures, figures);
});
