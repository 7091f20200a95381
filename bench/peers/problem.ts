import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BACKENDS } from '#src/backends/registry.js';
import { partRange } from '#src/collective/parts.js';
import type { RunState } from '#src/coordinator/runState.js';
import { Rank } from '#src/worker/rank.js';
import type { Inference } from './cases.js';

/** Batches that peers train on in turn: enough that no peer learns them by heart while it is timed. */
const BATCHES = 64;

/** Steps whose loss is compared: the second shows whether gradients and Adam agree. */
export const COMPARED_STEPS = 2;

/**
 * Writes what a peer needs to compute the run's first steps: `problem.json`, and little-endian float32 in
 * `parameters.f32` [P], `x.f32` [batches, batch, dimensions] and `epsilon.f32` [steps, batch, K, d].
 */
export async function writeProblem(state: RunState, directory: string, inference?: Inference): Promise<void> {
  const { model, settings } = state;
  const { batchSize, samples, learningRate, optimizer } = settings;
  const { x, epsilon } = await firstBatches(state);
  const about = {
    model: model.name,
    input: model.input,
    latent: model.latent,
    batchSize,
    samples,
    inference,
    adam: { learningRate, ...optimizer.values },
    parameters: model.parameters.entries.map(({ name, shape, offset, size }) => ({
      name,
      shape,
      offset,
      size,
    })),
  };
  await writeFile(join(directory, 'problem.json'), JSON.stringify(about));
  await writeFile(join(directory, 'parameters.f32'), bytes(Float32Array.from(state.parameters)));
  await writeFile(join(directory, 'x.f32'), bytes(x));
  await writeFile(join(directory, 'epsilon.f32'), bytes(epsilon));
}

/** The batches and the noise that the ranks of the run would load. */
async function firstBatches(state: RunState): Promise<{ x: Float32Array; epsilon: Float32Array }> {
  const { model, settings, memory } = state;
  const { backend, arithmetic, tile, revectorized, batchSize, shards, samples } = settings;
  const create = await BACKENDS[backend].load({ arithmetic, tile, revectorize: revectorized });
  const rank = new Rank(0, { ...state, layout: state.layout, barrierTimeLimit: 0, barrierSpins: 0 }, create);
  const noise = samples * model.latent;
  const x = new Float32Array(BATCHES * batchSize * model.dimensions);
  const epsilon = new Float32Array(COMPARED_STEPS * batchSize * noise);
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let shard = 0; shard < shards; shard++) {
      const { first: place, end } = partRange(batchSize, shards, shard);
      const count = end - place;
      const first = batch * batchSize + place;
      rank.loadTraining(first, count, place, batch, 0);
      x.set(
        new Float32Array(memory.buffer, rank.shard.x, count * model.dimensions),
        first * model.dimensions,
      );
      if (batch < COMPARED_STEPS) {
        epsilon.set(new Float32Array(memory.buffer, rank.shard.epsilon, count * noise), first * noise);
      }
    }
  }
  return { x, epsilon };
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
