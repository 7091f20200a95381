// The all-reduce with the update, and the barriers around it, in threads of their own. Dense models go by it
// with large batches alone (ownerComputes in src/backends/simd/engine.ts).

import { availableParallelism } from 'node:os';
import { paddedParameters } from '#src/collective/parameterSlices.js';
import { SPINS } from '#src/kernels/tuning.js';
import { presetNames, presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import { oneDecimal, type Row, type Section, type Table, twoDecimals } from './section.js';
import { measureTeams, UpdateTeam } from './updateTeam.js';

const SHARDS = 8;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const VERIFIED_ROUNDS = 50;

/** As WorkerPool has it where each rank has a core, and where not. */
const SPINS_OF_BARRIERS = [SPINS, 0];

export const allReduceSection: Section = {
  name: 'all-reduce',
  async run({ say, model }) {
    const updates: Row[] = [];
    const cores = Math.min(availableParallelism(), SHARDS);
    for (const name of presetNames.filter((preset) => preset === (model ?? preset))) {
      say(`all-reduce: ${name}`);
      updates.push(...(await updateRows(name, cores)));
    }
    say('all-reduce: barriers');
    return [updateTable(updates), barrierTable(await barrierRows(cores))];
  },
};

async function updateRows(name: string, cores: number): Promise<Row[]> {
  const spec = presetSpec(name, [28, 28, 1]);
  const model = resolveModel({ ...spec, input: [28, 28, 1] }, { latent: spec.latent });
  const count = paddedParameters(model.parameters.size);
  const teams = [1, ...(cores > 1 ? [cores] : [])].map(
    (ranks) => new UpdateTeam({ ranks, spins: SPINS, count, shards: SHARDS }),
  );
  try {
    await verifyUpdates(teams);
    const times = await measureTeams(teams, 'updates');
    return teams.map(({ ranks }, i) => ({
      model: name,
      parameters: count,
      workers: ranks,
      microseconds: times[i]!,
      // Reads all slots, parameters, m and v; writes the last three.
      rate: ((SHARDS + 6) * count * FLOAT) / times[i]! / 1000,
    }));
  } finally {
    for (const team of teams) await team.close();
  }
}

async function barrierRows(cores: number): Promise<Row[]> {
  const counts = [...new Set([1, 2, 3, 4, cores, 2 * cores, 4 * cores])].sort((a, b) => a - b);
  const rows: Row[] = [];
  for (const ranks of counts) {
    const teams = SPINS_OF_BARRIERS.map(
      (spins) => new UpdateTeam({ ranks, spins, count: 16, shards: SHARDS }),
    );
    try {
      for (const team of teams) await team.run({ kind: 'barriers', rounds: VERIFIED_ROUNDS, verify: true });
      const times = await measureTeams(teams, 'barriers');
      teams.forEach(({ spins }, i) => {
        rows.push({ workers: ranks, cores, spins, microseconds: times[i]! });
      });
    } finally {
      for (const team of teams) await team.close();
    }
  }
  return rows;
}

/** @throws Error where teams of different sizes come to different parameters, or to those they began with. */
async function verifyUpdates(teams: readonly UpdateTeam[]): Promise<void> {
  const before = teams[0]!.parameters();
  for (const team of teams) await team.run({ kind: 'updates', rounds: VERIFIED_ROUNDS, verify: true });
  const after = teams[0]!.parameters();
  if (after.equals(before)) throw new Error('The updates did nothing.');
  for (const { ranks, ...team } of teams.map((t) => ({ ranks: t.ranks, bits: t.parameters() }))) {
    if (!team.bits.equals(after)) throw new Error(`${ranks} workers came to other parameters than one.`);
  }
}

function updateTable(rows: readonly Row[]): Table {
  return {
    title: `all-reduce: sum of ${SHARDS} shards, Adam and a barrier`,
    columns: [
      { key: 'model', heading: 'model' },
      { key: 'parameters', heading: 'parameters' },
      { key: 'workers', heading: 'workers' },
      { key: 'microseconds', heading: 'µs', format: oneDecimal },
      { key: 'rate', heading: 'GB/s', format: oneDecimal },
    ],
    identity: ['model', 'workers'],
    measure: { key: 'rate', better: 'higher' },
    rows,
  };
}

function barrierTable(rows: readonly Row[]): Table {
  return {
    title: 'all-reduce: barriers (spins: looks before sleeping)',
    columns: [
      { key: 'workers', heading: 'workers' },
      { key: 'cores', heading: 'cores' },
      { key: 'spins', heading: 'spins' },
      { key: 'microseconds', heading: 'µs', format: twoDecimals },
    ],
    identity: ['workers', 'spins'],
    measure: { key: 'microseconds', better: 'lower' },
    rows,
  };
}
