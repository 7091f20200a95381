// A model of a training step over many hosts: one process a host, which computes, exchanges, updates and
// exchanges again, with nothing of it at the same time unless `overlap` says so. What is exchanged comes from
// the plan that the processes of a run follow.
//
// Every process needs something of every other one, so an exchange ends when the slowest is through. All
// messages of an exchange are begun together. The network between the hosts is taken to be wide enough for
// all of them at once: the limit is each host's own link.

import { paddedParameters, parameterSlice } from '#src/collective/parameterSlices.js';
import { type PartRange, partRange } from '#src/collective/parts.js';
import { cutRegion, type Exchange, exchangePlan } from '#src/collective/processes/transfers.js';
import { heldSubtrees } from '#src/collective/sumTree.js';
import { addressOf } from '#src/kernels/address.js';
import { decidedBytes } from '#src/worker/decisions.js';
import { shardTermsBytes } from '#src/worker/terms.js';

const START = addressOf(0);
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * Bytes of a message that TCP sends in one frame of Ethernet (1,500 bytes, less the headers of IP and of TCP
 * with time stamps), and what the wire carries besides: these headers (52), Ethernet's (18), preamble and gap
 * (20).
 */
export const FRAME_PAYLOAD = 1448;
export const FRAME_OVERHEAD = 90;

/**
 * A longer message asks first whether the other side is ready: Open MPI's btl_tcp_eager_limit. Then three
 * messages, one after the other, cross the link.
 */
export const EAGER_BYTES = 65_536;

/** What a host needs; seconds. */
export interface HostCosts {
  /** From the beginning of a step to the sum of the gradients of the host's shards. */
  readonly gradient: number;
  /** A float, all threads together: one more sum added to another one. */
  readonly add: number;
  /** A float, all threads together: the optimizer. */
  readonly update: number;
}

/** What lies between two hosts; the same for each pair. */
export interface Link {
  /** Seconds that a message is under way, one way. */
  readonly latency: number;
  /** Bits a second, in each direction at once. */
  readonly bandwidth: number;
  /** Seconds that a host's software takes for a message that it sends or receives. */
  readonly message: number;
}

/** What passes through a host in an exchange. */
export interface ExchangeLoad {
  /** That it sends, without what frames add. */
  readonly bytes: number;
  /** That it sends and receives. */
  readonly messages: number;
  /** Bytes on its link, in the busier direction. */
  readonly wire: number;
  /** Bytes of the longest message. */
  readonly longest: number;
}

/** The slowest host's part of an exchange, seconds. */
export interface ExchangeTimes {
  /** In which messages are under way. */
  readonly latency: number;
  /** In which they pass through link and software. */
  readonly transfer: number;
}

/** Seconds; the parts follow each other. */
export interface StepTimes {
  readonly gradient: number;
  readonly gradientExchange: ExchangeTimes;
  /** The sum over the hosts and the optimizer, on the host's slice. */
  readonly update: number;
  readonly parameterExchange: ExchangeTimes;
  /** What of both exchanges is not hidden behind the gradient. */
  readonly network: number;
  readonly total: number;
}

export interface DistributedStepOptions {
  /** The model's, in all. */
  readonly parameters: number;
  readonly shards: number;
  readonly hosts: number;
  /**
   * Share of the time of the gradient during which the first exchange may already run: from 0 to 1. The code
   * has no such overlap today.
   */
  readonly overlap?: number;
}

/** A step that hosts compute together. */
export class DistributedStep {
  /** One a host: terms and sums of gradients; parameters and decisions. */
  readonly gradients: readonly ExchangeLoad[];
  readonly parameters: readonly ExchangeLoad[];
  /** Floats of the longest slice. */
  readonly #slice: number;
  /** Sums that are left to be added when each host has added what it holds. */
  readonly #sums: number;
  readonly #overlap: number;

  constructor({ parameters, shards, hosts, overlap = 0 }: DistributedStepOptions) {
    const count = paddedParameters(parameters);
    const all = Array.from({ length: hosts }, (_, host) => host);
    const plans = all.map((host) => planOf(count, shards, hosts, host));
    this.gradients = plans.map((plan, host) => loadOf(plan['shard terms'], host));
    this.parameters = plans.map((plan, host) => loadOf(plan.parameters, host));
    this.#slice = Math.max(...all.map((host) => lengthOf(parameterSlice(count, hosts, host))));
    this.#sums = all.flatMap((host) => heldSubtrees(shards, partRange(shards, hosts, host))).length;
    this.#overlap = overlap;
  }

  /** Bytes that the busiest host sends. */
  get bytes(): number {
    return Math.max(...this.gradients.map(({ bytes }, host) => bytes + this.parameters[host]!.bytes));
  }

  times({ gradient, add, update: optimizer }: HostCosts, link: Link): StepTimes {
    const gradientExchange = slowest(this.gradients, link);
    const parameterExchange = slowest(this.parameters, link);
    const update = this.#slice * ((this.#sums - 1) * add + optimizer);
    const hidden = Math.min(this.#overlap * gradient, gradientExchange.transfer);
    const network = secondsOf(gradientExchange) - hidden + secondsOf(parameterExchange);
    const total = gradient + update + network;
    return { gradient, gradientExchange, update, parameterExchange, network, total };
  }
}

export function secondsOf({ latency, transfer }: ExchangeTimes): number {
  return latency + transfer;
}

/** Bytes on the wire for a message of so many. */
export function wireBytes(bytes: number): number {
  return bytes + Math.ceil(bytes / FRAME_PAYLOAD) * FRAME_OVERHEAD;
}

/** What the processes of a run exchange in a step; only sizes count, so everything stands at one address. */
function planOf(parameterCount: number, shards: number, processes: number, process: number) {
  const regions = {
    ...{ parameters: START, state: [], slots: START, slotPitch: parameterCount * FLOAT },
    ...{ parameterCount, shards, squaredNorms: undefined, testTerms: [] },
    shardTerms: cutRegion(START, shards, shardTermsBytes(1), processes),
    decisions: { address: START, range: decidedBytes },
  };
  return exchangePlan(regions, { processes, process });
}

function loadOf(exchange: Exchange, host: number): ExchangeLoad {
  const sent: number[] = [];
  const received: number[] = [];
  for (const transfer of exchange) {
    const isGather = transfer.kind === 'all-gather';
    const from = isGather ? transfer.parts.map(() => transfer.parts[host]!) : transfer.from;
    const to = isGather ? transfer.parts : transfer.to;
    sent.push(...messagesOf(from, host));
    received.push(...messagesOf(to, host));
  }
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    bytes: sum(sent),
    messages: sent.length + received.length,
    wire: Math.max(sum(sent.map(wireBytes)), sum(received.map(wireBytes))),
    longest: Math.max(0, ...sent, ...received),
  };
}

/** Bytes of the messages between a host and each of the others; none where there are no bytes. */
function messagesOf(parts: readonly PartRange[], host: number): number[] {
  return parts
    .filter((_, other) => other !== host)
    .map(lengthOf)
    .filter((bytes) => bytes > 0);
}

function slowest(loads: readonly ExchangeLoad[], link: Link): ExchangeTimes {
  const times = loads.map((load) => timesOf(load, link));
  return times.reduce((most, next) => (secondsOf(next) > secondsOf(most) ? next : most));
}

/** Link and software work at the same time on different messages, so the slower of the two counts. */
function timesOf({ messages, wire, longest }: ExchangeLoad, link: Link): ExchangeTimes {
  const crossings = messages === 0 ? 0 : longest > EAGER_BYTES ? 3 : 1;
  return {
    latency: crossings * link.latency,
    transfer: Math.max((8 * wire) / link.bandwidth, messages * link.message),
  };
}

function lengthOf({ first, end }: PartRange): number {
  return end - first;
}
