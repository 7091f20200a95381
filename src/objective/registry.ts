// The one place where names become objectives.
import { elbo } from './elbo.js';
import { iwae } from './iwae.js';
import type { Objective } from './objective.js';

export const OBJECTIVES = { elbo, iwae } as const satisfies Readonly<Record<string, Objective>>;

export type ObjectiveName = keyof typeof OBJECTIVES;

export function objectiveOf(name: ObjectiveName): Objective {
  return OBJECTIVES[name];
}
