import { BACKENDS } from '../backends/registry.js';
import { paddedParameters } from '../collective/parameterSlices.js';
import { type ProcessPlace, processRange } from '../collective/processPlace.js';
import { BARRIER_BYTES } from '../collective/sharedMemory/barrier.js';
import { heldSubtrees } from '../collective/sumTree.js';
import type { Address } from '../kernels/address.js';
import { Arena } from '../kernels/arena.js';
import type { Model } from '../model/model.js';
import { refinementOf } from '../objective/inferences/registry.js';
import { stateTensors } from '../optimizer/updateRule.js';
import { decisionBytes } from './decisions.js';
import { countOwnExamples } from './ownExamples.js';
import { PHASE_TIMES_BYTES } from './phaseTimes.js';
import { RECOVERY_BYTES } from './recoveryWords.js';
import type { RankRegions, Region, RunLayout } from './runLayout.js';
import { PROGRESS_BYTES } from './runProgress.js';
import { ownOptions, type Settings } from './settings.js';
import { squaredNormsBytes } from './squaredNorms.js';
import { stepRecordsBytes } from './stepRecords.js';
import { stepRule } from './stepRules/registry.js';
import { shardTermsBytes, type TermPlaces } from './terms.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** Places regions one after the other, and keeps their table. */
class RegionTable {
  readonly regions: Region[] = [];
  readonly #arena = new Arena(0);

  /** Bytes in all. */
  get bytes(): number {
    return this.#arena.end;
  }

  place(name: string, bytes: number): Address {
    const address = this.#arena.reserve(bytes);
    this.regions.push({ name, address, bytes });
    return address;
  }

  /** Terms of so many examples. @param prefix of the regions' names. */
  placeTerms(prefix: string, count: number): TermPlaces {
    return {
      logLikelihood: this.place(`${prefix}log-likelihood`, count * DOUBLE),
      kl: this.place(`${prefix}KL`, count * DOUBLE),
      bound: this.place(`${prefix}bound`, count * DOUBLE),
      acceptance: this.place(`${prefix}acceptance`, count * DOUBLE),
    };
  }
}

/**
 * Lays out the run's memory.
 * @throws RangeError when it would exceed 4 GiB.
 */
export function planRunMemory(
  model: Model,
  settings: Settings,
  ranks: number,
  place: ProcessPlace,
): RunLayout {
  const table = new RegionTable();
  const { shardData, trainCount, testCount, stepsPerEpoch } = settings;
  const size = paddedParameters(model.parameters.size) * FLOAT;
  const options = ownOptions(model, settings, place);
  const { shards, batchSize } = options;
  const backend = BACKENDS[settings.backend];
  const plan = backend.plan(options);
  const { mostParts } = plan;
  const owned = plan.owned && makesOneSum(settings.shards, place);
  const { slots, parts, examplesAtOnce } = stepRule(owned).plan({ shards, batchSize, ranks, mostParts });
  const isClipped = settings.clipNorm > 0;
  const ownersLeaveSums = owned && (place.processes > 1 || isClipped);
  const ownSlots = ownersLeaveSums ? 1 : slots;
  // Slots of shards of other processes are where their sums arrive.
  const allSlots = place.processes === 1 ? ownSlots : settings.shards;
  const fixed = {
    barrier: table.place('barrier', BARRIER_BYTES),
    progress: table.place('progress', PROGRESS_BYTES),
    recovery: table.place('recovery', RECOVERY_BYTES),
    parameters: table.place('parameters', size),
    state: stateTensors(settings).map((name) => table.place(name, size)),
    snapshot: {
      parameters: table.place('snapshot/parameters', size),
      state: stateTensors(settings).map((name) => table.place(`snapshot/${name}`, size)),
    },
    stepRecords: table.place('step records', stepRecordsBytes(stepsPerEpoch)),
    trainPixels: table.place('training images', (shardData ? 0 : trainCount) * model.dimensions),
    testPixels: table.place('test images', testCount * model.dimensions),
    order: table.place('epoch order', trainCount * WORD),
    orderBits: table.place('epoch order bits', Math.ceil(trainCount / 16) * 64),
    testOrder: table.place('test order', testCount * WORD),
    testTerms: table.placeTerms('test ', testCount),
  };
  const shared = {
    decisions: table.place('decisions', decisionBytes(place.processes)),
    slots: table.place('gradient slots', allSlots * size),
    slotPitch: size,
    squaredNorms: table.place('squared norms', isClipped ? squaredNormsBytes(model.parameters.size) : 0),
    shardTerms: table.place('shard terms', shardTermsBytes(settings.shards)),
  };
  const sharded = shardData && {
    trainPixels: table.place('own training images', countOwnExamples(settings, place) * model.dimensions),
    trainPlaces: table.place('places of own training images', trainCount * WORD),
  };
  const { parameters } = fixed;
  const memory = backend.memory({ ...options, owned, examples: examplesAtOnce, parameters });
  const packed = table.place('packed weights', memory.packed);
  const noise = settings.samples * model.latent;
  const refinement = refinementOf(settings.inference);
  const transitions = (refinement?.transitions ?? 0) * examplesAtOnce;
  const rankRegions = Array.from(
    { length: ranks },
    (_, rank): RankRegions => ({
      x: table.place(`rank ${rank}/x`, examplesAtOnce * model.dimensions * FLOAT),
      epsilon: table.place(`rank ${rank}/epsilon`, examplesAtOnce * noise * FLOAT),
      refinement: refinement && {
        momenta: table.place(`rank ${rank}/momenta`, transitions * noise * FLOAT),
        uniforms: table.place(`rank ${rank}/uniforms`, transitions * 2 * settings.samples * FLOAT),
      },
      terms: table.placeTerms(`rank ${rank}/`, examplesAtOnce),
      scratch: table.place(`rank ${rank}/scratch`, 64),
      times: table.place(`rank ${rank}/times`, PHASE_TIMES_BYTES),
      claimed: table.place(`rank ${rank}/claimed`, 64),
      workspace: table.place(`rank ${rank}/workspace`, memory.workspace),
    }),
  );
  const { regions, bytes } = table;
  return {
    ...fixed,
    trainPlaces: fixed.order,
    ...shared,
    ...sharded,
    place,
    placed: shared.decisions,
    shards: processRange(settings.shards, place),
    owned,
    ownersLeaveSums,
    parts,
    examplesAtOnce,
    testUnit: place.processes === 1 ? examplesAtOnce : Math.ceil(settings.batchSize / settings.shards),
    packed,
    ranks: rankRegions,
    regions,
    bytes,
  };
}

/**
 * Whether the sum of a process's shards is one of the tree, so that owners can compute it as that of a step.
 */
function makesOneSum(shards: number, place: ProcessPlace): boolean {
  return heldSubtrees(shards, processRange(shards, place)).length === 1;
}
