// The exponential moving average of the parameters over the updates of a run.
import { power } from '../arithmetic/power.js';
import { NONE, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { CHUNK } from './chunk.js';
import type { Slice, SliceUpdate } from './optimizer.js';

/** The state tensor that holds the average, behind those of the optimizer. */
export const AVERAGE = 'ema';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * The weight of the parameters behind update t (from 1) in the average: (1 − D) / (1 − Dᵗ), D the decay. The
 * average is then the mean of the parameters behind updates 1 … t with weights proportional to Dᵗ⁻ⁱ, whose
 * sum is 1: temporal averaging with corrected bias (Kingma and Ba 2015, section 7.2; there the quotient is
 * taken when the average is read). It is 1 for t = 1, and falls towards 1 − D.
 */
export function averageWeight(decay: number, t: number): number {
  return (1 - decay) / (1 - power(decay, t));
}

/** An optimizer whose slices have the average as their last state tensor: average ← (1 − w) average + w p. */
export function averaging(kernels: Kernels, optimizer: SliceUpdate, decay: number): SliceUpdate {
  let weight = 1;
  /** The slice at hand, and the same one as the optimizer knows it. */
  let slice: Slice | undefined;
  let inner: Slice = { parameters: NONE, state: [] };
  const within = (whole: Slice) => {
    if (whole !== slice) {
      slice = whole;
      inner = { parameters: whole.parameters, state: whole.state.slice(0, -1) };
    }
    return inner;
  };
  const average = ({ parameters, state }: Slice, bytes: number, count: number) =>
    kernels.averageFloats(plus(state.at(-1)!, bytes), plus(parameters, bytes), count, weight) !== 0;
  return {
    begin: (t, learningRate, scale) => {
      weight = averageWeight(decay, t);
      optimizer.begin(t, learningRate, scale);
    },
    apply: (whole, offset, gradient, count) => {
      const own = within(whole);
      let finite = true;
      for (let first = 0; first < count; first += CHUNK) {
        const floats = Math.min(CHUNK, count - first);
        const bytes = first * FLOAT;
        finite = optimizer.apply(own, offset + bytes, plus(gradient, bytes), floats) && finite;
        finite = average(whole, offset + bytes, floats) && finite;
      }
      return finite;
    },
    applySum: (whole, offset, slots, pitch, shards, count) => {
      const own = within(whole);
      let finite = true;
      for (let first = 0; first < count; first += CHUNK) {
        const floats = Math.min(CHUNK, count - first);
        const bytes = first * FLOAT;
        finite = optimizer.applySum(own, offset + bytes, plus(slots, bytes), pitch, shards, floats) && finite;
        finite = average(whole, offset + bytes, floats) && finite;
      }
      return finite;
    },
  };
}
