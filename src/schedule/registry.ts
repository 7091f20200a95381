// The one place where names become schedules.
import type { Choice } from '../model/hyperparameter.js';
import { constant } from './constant.js';
import { cosine } from './cosine.js';
import type { RunLength, Schedule, ValueAt } from './schedule.js';
import { stages } from './stages.js';
import { warmup } from './warmup.js';

export const SCHEDULES = { constant, warmup, cosine, stages } as const satisfies Readonly<
  Record<string, Schedule>
>;

export type ScheduleName = keyof typeof SCHEDULES;

export function scheduleOf({ name }: Choice<ScheduleName>): Schedule {
  return SCHEDULES[name];
}

/** A value under a schedule. */
export function scheduled(value: number, choice: Choice<ScheduleName>, run: RunLength): ValueAt {
  return scheduleOf(choice).create(value, choice.values, run);
}
