import type { ProcessGroup } from '#src/collective/processes/processGroup.js';
import { openSession, type Session } from '#src/coordinator/session.js';
import { requestedConfig } from '#src/coordinator/trainOptions.js';
import type { Dataset } from '#src/data/source.js';
import type { Case } from './cases.js';

/** Opens the session of the run that `lowerbound train` starts for a case: default seed, arithmetic, tile. */
export async function startingSession(
  { model, batchSize, samples }: Case,
  dataset: Dataset,
  workers: number,
  group?: ProcessGroup,
): Promise<Session> {
  const config = await requestedConfig({ model, batchSize, samples }, dataset, undefined);
  const session = openSession({ config, dataset, workers, group });
  session.state.shuffle(0);
  return session;
}
