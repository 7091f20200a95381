import { type Address, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { Purpose, type RandomKey } from '../kernels/stream.js';
import type { WasmMemory } from '../kernels/webAssembly.js';
import type { LikelihoodKernels } from './likelihoods/likelihood.js';
import { BERNOULLI, likelihoodKernels } from './likelihoods/registry.js';
import type { Initializer, Model, ParameterEntry } from './model.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export interface InitializeOptions {
  readonly kernels: Kernels;
  /** Says which outputs stand for the data's mean; default: Bernoulli's. */
  readonly likelihood?: LikelihoodKernels;
  readonly memory: WasmMemory;
  readonly model: Model;
  readonly key: RandomKey;
  /** Address of the flat parameter buffer; the 64 bytes at `scratch` are overwritten. */
  readonly parameters: Address;
  readonly scratch: Address;
  /** [dimensions]: mean of x over the training data, for models whose output bias starts there. */
  readonly dataMean?: Float64Array;
}

/** Sets all parameters to their initial values: a pure function of the model, the key and the data's mean. */
export function initializeParameters(options: InitializeOptions): void {
  const { model, kernels, key, parameters, scratch } = options;
  model.parameters.entries.forEach((entry, index) => {
    const address = plus(parameters, entry.offset * FLOAT);
    const { initializer } = entry;
    switch (initializer.kind) {
      case 'zeros':
        new Float32Array(options.memory.buffer, address, entry.size).fill(0);
        break;
      case 'glorotUniform':
      case 'fanInUniform': {
        const limit = Math.fround(uniformLimit(initializer));
        const { low, high } = key;
        const { size } = entry;
        kernels.randomUniform({
          out: address,
          count: size,
          low: -limit,
          high: limit,
          key0: low,
          key1: high,
          position: index,
          step: 0,
          purpose: Purpose.initialization,
          scratch,
        });
        break;
      }
      case 'standardNormal':
        kernels.randomNormal({
          out: address,
          rows: 1,
          count: entry.size,
          key0: key.low,
          key1: key.high,
          position: index,
          step: 0,
          purpose: Purpose.initialization,
          scratch,
        });
        break;
      case 'dataMeanLogit':
        setDataMeanLogits(options, entry, address);
    }
  });
}

function uniformLimit(initializer: Extract<Initializer, { readonly fanIn: number }>): number {
  if (initializer.kind === 'fanInUniform') return 1 / Math.sqrt(initializer.fanIn);
  return Math.sqrt(6 / (initializer.fanIn + initializer.fanOut));
}

/**
 * The output that stands for each pixel's mean p, with a Bernoulli likelihood log(p / (1 − p)); p is kept
 * within [0.001, 0.999] as in Burda et al. (2016).
 */
function setDataMeanLogits(
  { kernels, memory, dataMean, likelihood }: InitializeOptions,
  entry: ParameterEntry,
  address: Address,
): void {
  if (dataMean?.length !== entry.size) {
    throw new Error(
      `The parameter ${entry.name} starts at the data's mean, but ${dataMean?.length ?? 'no'} means were given for its ${entry.size} values.`,
    );
  }
  const odds = new Float32Array(memory.buffer, address, entry.size);
  for (let i = 0; i < entry.size; i++) {
    const p = Math.min(Math.max(dataMean[i]!, 0.001), 0.999);
    odds[i] = p / (1 - p);
  }
  // Whole vectors: up to three floats behind the tensor change, so the tail is put back.
  const tail = new Float32Array(memory.buffer, address + entry.size * FLOAT, 3);
  const kept = Float32Array.from(tail);
  const { outputsOfOdds } = likelihood ?? likelihoodKernels(BERNOULLI, kernels, memory.buffer);
  outputsOfOdds(address, entry.size);
  tail.set(kept);
}
