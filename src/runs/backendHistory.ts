import type { EarlierBackend, RunConfig } from './runConfig.js';

/**
 * The config of a run that goes on after `step` with the backend of `requested`: it remembers which backends
 * computed the steps before, because their bits differ.
 */
export function continuedConfig(requested: RunConfig, saved: RunConfig, step: number): RunConfig {
  const { earlierBackends: _, ...rest } = requested;
  const earlier = backendsUntil(saved, step);
  if (earlier.at(-1)?.backend === requested.backend) earlier.pop();
  return earlier.length === 0 ? rest : { ...rest, earlierBackends: earlier };
}

/** The backends of the steps before `step`: none of them without a step, and no two neighbours the same. */
function backendsUntil({ backend, earlierBackends = [] }: RunConfig, step: number): EarlierBackend[] {
  const backends: EarlierBackend[] = [];
  let from = 0;
  for (const entry of [...earlierBackends, { backend, untilStep: step }]) {
    const untilStep = Math.min(entry.untilStep, step);
    if (untilStep <= from) continue;
    if (backends.at(-1)?.backend === entry.backend) backends.pop();
    backends.push({ backend: entry.backend, untilStep });
    from = untilStep;
  }
  return backends;
}

/**
 * What computed the steps after `from` up to `to`, in order, each up to a number of steps.
 * @param config of a checkpoint of step `to` or a later one.
 */
export function backendsBetween(config: RunConfig, from: number, to: number): readonly EarlierBackend[] {
  const between = backendsUntil(config, to).filter(({ untilStep }) => untilStep > from);
  return between.length > 0 ? between : [{ backend: config.backend, untilStep: to }];
}
