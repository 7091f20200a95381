// Training over many hosts, projected by the model of the network from what one host costs.

import { loadDataset } from '#src/data/registry.js';
import { UsageError } from '#src/errors.js';
import { presetNames } from '#src/model/presets.js';
import { measureHost } from './hostCosts.js';
import type { NetworkRequest } from './networkOptions.js';
import { writeScalingPictures } from './networkPictures.js';
import {
  aloneRate,
  type Batch,
  type MeasuredHost,
  microseconds,
  ownBatches,
  type Projected,
  type Projection,
  project,
} from './projection.js';
import { oneDecimal, percent, type Request, type Row, type Table, twoDecimals, whole } from './section.js';

/** Images of a host in a step that grows with the hosts. */
const HOST_BATCH = 128;

export async function networkTables(request: Request, network: NetworkRequest): Promise<Table[]> {
  const { say, model: wanted, batchSize = HOST_BATCH } = request;
  const { hosts, links, threads, globalBatch, pictures } = network;
  const weak = equalShards('batch-size', batchSize, threads);
  const strong = equalShards('global-batch', globalBatch, threads * Math.max(...hosts));
  const projected: Projected = { hosts, links, batches: { weak, strong } };
  const batches = ownBatches(projected);
  const dataset = loadDataset();
  const measured: MeasuredHost[] = [];
  for (const model of presetNames.filter((name) => name === (wanted ?? name))) {
    say(`scaling: ${model}, what a host of ${threads} ${threads === 1 ? 'thread' : 'threads'} costs`);
    measured.push(await measureHost({ model, dataset, threads, batches }));
  }
  const projections = measured.flatMap((host) => project(host, projected));
  if (pictures !== undefined) {
    for (const path of await writeScalingPictures(projections, threads, pictures)) say(`scaling: ${path}`);
  }
  return [hostTable(measured, batches, threads), projectionTable(projections)];
}

/**
 * A shard for each thread of each host.
 * @throws UsageError where the shards would not be equal.
 */
function equalShards(flag: string, images: number, shards: number): Batch {
  if (images % shards !== 0) {
    throw new UsageError(
      `--${flag} is ${images}: the model of the network needs a multiple of ${shards} images, for equal shards, one for each thread.`,
    );
  }
  return { shards, shardSize: images / shards };
}

function hostTable(measured: readonly MeasuredHost[], batches: readonly Batch[], threads: number): Table {
  const different = batches.filter(({ shards, shardSize }, i) => {
    return i === batches.findIndex((other) => other.shards === shards && other.shardSize === shardSize);
  });
  return {
    title: 'scaling: one host, from what was measured here',
    columns: [
      { key: 'model', heading: 'model' },
      { key: 'parameters', heading: 'parameters' },
      { key: 'threads', heading: 'threads' },
      { key: 'batch', heading: 'batch' },
      { key: 'shards', heading: 'shards' },
      { key: 'gradient', heading: 'gradient ms', format: twoDecimals },
      { key: 'add', heading: 'sum, ns/float', format: twoDecimals },
      { key: 'update', heading: 'update, ns/float', format: twoDecimals },
      { key: 'rate', heading: 'images/s', format: whole },
    ],
    identity: ['model', 'threads', 'batch', 'shards'],
    measure: { key: 'rate', better: 'higher' },
    rows: measured.flatMap((host) =>
      different.map(
        (batch): Row => ({
          ...{ model: host.model, parameters: host.parameters, threads },
          ...{ batch: batch.shards * batch.shardSize, shards: batch.shards },
          ...{ gradient: host.gradient(batch) * 1e3, add: host.add * 1e9, update: host.update * 1e9 },
          rate: aloneRate(host, batch),
        }),
      ),
    ),
  };
}

function projectionTable(projections: readonly Projection[]): Table {
  return {
    title: 'scaling: a projection by a model of the network, not a measurement',
    columns: [
      { key: 'model', heading: 'model' },
      { key: 'scaling', heading: 'scaling' },
      { key: 'gbits', heading: 'Gbit/s' },
      { key: 'latency', heading: 'µs' },
      { key: 'hosts', heading: 'hosts' },
      { key: 'batch', heading: 'batch' },
      { key: 'shards', heading: 'shards' },
      { key: 'megabytes', heading: 'MB sent', format: twoDecimals },
      { key: 'compute', heading: 'compute ms', format: twoDecimals },
      { key: 'network', heading: 'network ms', format: twoDecimals },
      { key: 'step', heading: 'step ms', format: oneDecimal },
      { key: 'rate', heading: 'images/s', format: whole },
      { key: 'efficiency', heading: 'efficiency', format: percent },
    ],
    identity: ['model', 'scaling', 'gbits', 'latency', 'hosts', 'batch'],
    measure: { key: 'rate', better: 'higher' },
    rows: projections.map(({ model, scaling, link, hosts, batch, ...step }) => ({
      ...{ model, scaling, gbits: link.bandwidth / 1e9, latency: microseconds(link), hosts },
      ...{ batch: batch.shards * batch.shardSize, shards: batch.shards, megabytes: step.bytes / 1e6 },
      ...{ compute: step.compute * 1e3, network: step.network * 1e3, step: step.total * 1e3 },
      ...{ rate: step.imagesPerSecond, efficiency: step.efficiency },
    })),
  };
}
