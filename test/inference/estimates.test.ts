import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EstimateName, type EstimateOptions, estimateChunk } from '#src/inference/estimates/registry.js';
import { InferenceModel } from '#src/inference/inferenceModel.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { randomKey } from '#src/kernels/stream.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import { draw, smallModels } from '../reference/smallModels.js';

const resolved = smallModels[1]!;
const model = new InferenceModel({
  model: resolved,
  parameters: Float32Array.from(draw(resolved.parameters.size, 1, 1 / 2)),
  likelihood: BERNOULLI,
  platform: inferencePlatform('portable', false),
});
const positions = [3, 8];
const x = Float32Array.from(draw(2 * resolved.dimensions, 2).map((value) => Math.min(1, Math.abs(value))));

const annealing = { chains: 2, temperatures: 12, schedule: 'linear', leapfrogSteps: 3 } as const;
const OPTIONS: Required<EstimateOptions> = {
  elbo: { samples: 130 },
  importance: { draws: [7, 130] },
  ais: annealing,
  bdmc: annealing,
  gaps: { steps: 6, draws: 4, samples: 3 },
  posterior: { method: 'hmc', chains: 2, warmup: 4, draws: 16, leapfrogSteps: 3 },
};

for (const name of Object.keys(OPTIONS) as EstimateName[]) {
  test(`${name}: the declared work is that of its evaluations`, () => {
    const shares: number[] = [];
    const chunk = { model, key: randomKey(1n), x, positions };
    estimateChunk(chunk, { [name]: OPTIONS[name] }, (share) => shares.push(share));
    assert.equal(shares.at(-1), 1);
    assert.ok(shares.every((share, i) => share > (shares[i - 1] ?? 0)));
  });
}

test('draws from q(z|x) are no work, and no division by it', () => {
  const wanted = { posterior: { ...OPTIONS.posterior, method: 'variational' } } as const;
  const figures = estimateChunk({ model, key: randomKey(1n), x, positions }, wanted, (share) =>
    assert.ok(Number.isFinite(share)),
  );
  assert.equal(figures['posterior.z']!.length, 2 * 2 * 16 * resolved.latent);
  assert.equal(figures['posterior.acceptance'], undefined);
});
