// Steps over many hosts by the model of the network, against one host alone.

import { partRange } from '#src/collective/parts.js';
import type { PresetName } from '#src/model/presets.js';
import { DistributedStep, type HostCosts, type Link } from './networkModel.js';

/** Whether each host has as many images however many hosts there are, or all hosts together. */
export type Scaling = 'weak' | 'strong';

/** What a step has: of one host, or of all. */
export interface Batch {
  readonly shards: number;
  /** Images of a shard. */
  readonly shardSize: number;
}

/** What is asked of the model. */
export interface Projected {
  /** Numbers of hosts. */
  readonly hosts: readonly number[];
  readonly links: readonly Link[];
  /** Weak scaling: of each host. Strong scaling: of all hosts. */
  readonly batches: Readonly<Record<Scaling, Batch>>;
}

/** A host that has been measured, and the model that it trains. */
export interface MeasuredHost {
  readonly model: PresetName;
  readonly parameters: number;
  /** See HostCosts. */
  readonly add: number;
  readonly update: number;
  /** Seconds: see HostCosts. */
  gradient(batch: Batch): number;
}

/** A step over so many hosts, as the model has it. */
export interface Projection {
  readonly model: PresetName;
  readonly scaling: Scaling;
  readonly link: Link;
  readonly hosts: number;
  /** That of all hosts. */
  readonly batch: Batch;
  /** Seconds. */
  readonly compute: number;
  readonly network: number;
  readonly total: number;
  /** Bytes that the busiest host sends in a step, without what frames add. */
  readonly bytes: number;
  readonly imagesPerSecond: number;
  /** Images a second and host, against one host alone. */
  readonly efficiency: number;
}

/** Both kinds of scaling over all numbers of hosts and all links; no rows for hosts without a shard. */
export function project(host: MeasuredHost, { hosts, links, batches }: Projected): Projection[] {
  return (['weak', 'strong'] as const).flatMap((scaling) => {
    const alone = aloneRate(host, batches[scaling]);
    return hosts.flatMap((count) => {
      const batch = batchOf(scaling, batches[scaling], count);
      if (batch.shards < count) return [];
      const step = new DistributedStep({ parameters: host.parameters, shards: batch.shards, hosts: count });
      const costs = costsOf(host, ownBatch(batch, count));
      return links.map((link): Projection => {
        const { total, network } = step.times(costs, link);
        const imagesPerSecond = (batch.shards * batch.shardSize) / total;
        return {
          ...{ model: host.model, scaling, link, hosts: count, batch, network, total, imagesPerSecond },
          ...{ compute: total - network, bytes: step.bytes, efficiency: imagesPerSecond / count / alone },
        };
      });
    });
  });
}

/** Images a second of one host without others. */
export function aloneRate(host: MeasuredHost, batch: Batch): number {
  const step = new DistributedStep({ parameters: host.parameters, shards: batch.shards, hosts: 1 });
  const link: Link = { latency: 0, bandwidth: Number.POSITIVE_INFINITY, message: 0 };
  return (batch.shards * batch.shardSize) / step.times(costsOf(host, batch), link).total;
}

/** What hosts have to compute for these projections, and one host alone for comparison. */
export function ownBatches({ hosts, batches }: Pick<Projected, 'hosts' | 'batches'>): Batch[] {
  const strong = batches.strong;
  const counts = [1, ...hosts.filter((count) => count <= strong.shards)];
  return [batches.weak, ...counts.map((count) => ownBatch(strong, count))];
}

/** The batch of all hosts. */
function batchOf(scaling: Scaling, { shards, shardSize }: Batch, hosts: number): Batch {
  return { shards: scaling === 'weak' ? shards * hosts : shards, shardSize };
}

/** The part of the host that has most of it. */
function ownBatch({ shards, shardSize }: Batch, hosts: number): Batch {
  const own = Array.from({ length: hosts }, (_, host) => {
    const { first, end } = partRange(shards, hosts, host);
    return end - first;
  });
  return { shards: Math.max(...own), shardSize };
}

function costsOf(host: MeasuredHost, own: Batch): HostCosts {
  return { gradient: host.gradient(own), add: host.add, update: host.update };
}

/** A link's latency as it was given: a name for the link, too. */
export function microseconds({ latency }: Link): number {
  return Math.round(latency * 1e9) / 1e3;
}
