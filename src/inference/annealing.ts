// The path of annealed importance sampling from the prior to the posterior: p(z) p(x|z)^β, β from 0 to 1.
import { exp } from '../arithmetic/exponential.js';

export const TEMPERATURE_SCHEDULES = ['sigmoidal', 'linear'] as const;
export type TemperatureSchedule = (typeof TEMPERATURE_SCHEDULES)[number];

/** Steepness of the sigmoidal schedule (Grosse et al. 2015, appendix; Wu et al. 2016). */
const DELTA = 4;

/**
 * β_0 … β_count: from exactly 0 to exactly 1, rising. `sigmoidal` is σ(δ(2t − 1)) with δ = 4, moved and
 * scaled to these ends: dense at both.
 * @param count intermediate steps, at least 1.
 */
export function temperatures(schedule: TemperatureSchedule, count: number): Float64Array {
  const lowest = sigmoid(-DELTA);
  const highest = sigmoid(DELTA);
  return Float64Array.from({ length: count + 1 }, (_, i) => {
    const t = i / count;
    if (schedule === 'linear' || i === 0 || i === count) return t;
    return (sigmoid(DELTA * (2 * t - 1)) - lowest) / (highest - lowest);
  });
}

function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}
