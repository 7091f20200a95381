// Which bytes of a run's memory processes exchange.
import { paddedParameters } from '../collective/parameterSlices.js';
import { partRange } from '../collective/parts.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { cutRegion, type ExchangePlan, exchangePlan } from '../collective/processes/transfers.js';
import type { Address } from '../kernels/address.js';
import { decidedBytes } from '../worker/decisions.js';
import { shardTermsBytes } from '../worker/terms.js';
import { readingLimit } from './readingLimit.js';
import type { RunState } from './runState.js';

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** @param source the process whose state all begin with. */
export function exchangesOf({ layout, model, settings }: RunState, source = 0): ExchangePlan {
  const { shards, testCount } = settings;
  const { processes } = layout.place;
  const { logLikelihood, kl, bound, acceptance } = layout.testTerms;
  const unit = layout.testUnit;
  const testRegion = (address: Address) => ({
    address,
    range(process: number) {
      const { first, end } = partRange(Math.ceil(testCount / unit), processes, process);
      const bytes = (units: number) => Math.min(units * unit, testCount) * DOUBLE;
      return { first: bytes(first), end: bytes(end) };
    },
  });
  return exchangePlan(
    {
      parameters: layout.parameters,
      state: layout.state,
      slots: layout.slots,
      slotPitch: layout.slotPitch,
      parameterCount: paddedParameters(model.parameters.size),
      shards,
      shardTerms: cutRegion(layout.shardTerms, shards, shardTermsBytes(1), processes),
      squaredNorms: settings.clipNorm > 0 ? layout.squaredNorms : undefined,
      decisions: { address: layout.decisions, range: decidedBytes },
      testTerms: [logLikelihood, kl, bound, acceptance].map(testRegion),
    },
    layout.place,
    source,
  );
}

/**
 * Before all else: processes begin with the state of one of them, and keep a copy. Those that have read all
 * images for theirs may come late.
 * @param step before which the state is.
 */
export async function shareState(
  group: ProcessGroup,
  state: RunState,
  step: number,
  source = 0,
): Promise<void> {
  await group.during(async () => {
    await group.gatherTexts('', readingLimit(group, state));
    await group.plan(state.memory.buffer as SharedArrayBuffer, exchangesOf(state, source));
    await group.exchange('start');
  });
  keepCopy(state, step);
}

/** Every process has the whole state: a copy of it is what the others go on with where one of them dies. */
export function keepCopy({ copy, recovery }: RunState, step: number): void {
  copy.save();
  recovery.endCopies(step);
}
