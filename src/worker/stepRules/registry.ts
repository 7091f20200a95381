// The one place where a step rule is chosen.
import { owners } from './owners.js';
import { slots } from './slots.js';
import type { StepRule } from './stepRule.js';

/** @param owned see BackendPlan. */
export function stepRule(owned: boolean): StepRule {
  return owned ? owners : slots;
}
