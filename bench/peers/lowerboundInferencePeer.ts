// lowerbound's inference as a peer among peers: the pool of `lowerbound evaluate`. Protocol: docs/peers.md.
// Arguments: case, workers, the problem's directory.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferencePool, planChunks } from '#src/coordinator/inferencePool.js';
import type { EstimateOptions } from '#src/inference/estimates/registry.js';
import { LEAPFROG_STEPS } from '#src/inference/hmc.js';
import { InferenceModel } from '#src/inference/inferenceModel.js';
import { inferencePlatform } from '#src/kernels/platform.js';
import { BERNOULLI } from '#src/model/likelihoods/registry.js';
import { presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import { caseNamed, type Inference } from './cases.js';
import { serve } from './conversation.js';

async function floats(directory: string, file: string): Promise<Float32Array> {
  const bytes = await readFile(join(directory, file));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function wantedOf(inference: Inference): EstimateOptions {
  if (inference.kind === 'importance') return { importance: { draws: [inference.draws] } };
  const { chains, temperatures } = inference;
  return { ais: { chains, temperatures, schedule: 'sigmoidal', leapfrogSteps: LEAPFROG_STEPS } };
}

const [caseName = '', threads = '1', directory = ''] = process.argv.slice(2);
const { model: preset, batchSize, inference } = caseNamed(caseName);
const input = [28, 28, 1] as const;
const model = resolveModel(presetSpec(preset, input), { input });
const parameters = await floats(directory, 'parameters.f32');
const x = (await floats(directory, 'x.f32')).subarray(0, batchSize * model.dimensions);
const z = (await floats(directory, 'epsilon.f32')).subarray(0, batchSize * model.latent);
const platform = inferencePlatform('fused', true);

/** Mean of −log p(x|z), nats, and of the squared length of its gradient in z. */
function compared(): number[] {
  const density = new InferenceModel({ model, parameters, likelihood: BERNOULLI, platform }).condition(x, 1);
  density.z.set(z);
  density.evaluate(batchSize, true);
  const sum = (values: ArrayLike<number>, term: (value: number) => number) =>
    Array.from(values, term).reduce((total, value) => total + value, 0) / batchSize;
  return [sum(density.logLikelihood, (value) => -value), sum(density.gradient, (value) => value * value)];
}

const positions = Array.from({ length: batchSize }, (_, i) => i);
const { chunk, workers } = planChunks(batchSize, { workers: Number(threads), most: batchSize });
const context = { model, parameters, likelihood: BERNOULLI, arithmetic: 'fused', seed: 0n } as const;
const pool = new InferencePool({ ...context, workers });
const wanted = wantedOf(inference!);
const { arithmetic, tile, revectorized } = platform;
const version = `Node ${process.versions.node}, ${arithmetic}, ${tile}${revectorized ? ', re-vectorised' : ''}`;
await serve(version, compared(), async (steps) => {
  for (let step = 0; step < steps; step++) await pool.estimate({ wanted, positions, x, chunk });
});
await pool.close();
