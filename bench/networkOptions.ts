// Flags of the model of the network: npm run bench -- scaling --model-of-the-network

import { availableParallelism } from 'node:os';
import { UsageError } from '#src/errors.js';
import type { Link } from './networkModel.js';

/** What is asked of the model. */
export interface NetworkRequest {
  readonly hosts: readonly number[];
  readonly links: readonly Link[];
  /** Threads of a host that compute. */
  readonly threads: number;
  /** Examples of a step that does not grow with the hosts. */
  readonly globalBatch: number;
  /** Folder for pictures. */
  readonly pictures: string | undefined;
}

/** For parseArgs. */
export const NETWORK_FLAGS = {
  'model-of-the-network': { type: 'boolean', default: false },
  hosts: { type: 'string' },
  gbits: { type: 'string' },
  'latency-us': { type: 'string' },
  'message-us': { type: 'string' },
  threads: { type: 'string' },
  'global-batch': { type: 'string' },
  pictures: { type: 'string' },
} as const;

/** What parseArgs makes of them. */
export type NetworkValues = {
  readonly [Name in Exclude<keyof typeof NETWORK_FLAGS, 'model-of-the-network'>]?: string | undefined;
} & { readonly 'model-of-the-network': boolean };

const DEFAULTS = {
  hosts: '2,8,64,256',
  gbits: '1,10',
  'global-batch': '8192',
} as const;

/** Microseconds of a link of so many Gbit/s, where none are given. */
function usualLatency(gbits: number): number {
  return gbits <= 1 ? 100 : 20;
}

/** A power of two, so that the usual batches are equal shards of it, for each of 256 hosts. */
function usualThreads(): number {
  return Math.min(2 ** Math.floor(Math.log2(availableParallelism())), 32);
}

export function networkUsage(): string {
  return `  --model-of-the-network   with scaling: a model of the step over many hosts (docs/scaling.md), of which the
                    computing is measured here, and the network is given by these:
  --hosts LIST      numbers of hosts; default: ${DEFAULTS.hosts}
  --gbits LIST      Gbit/s of a host's link, in each direction; default: ${DEFAULTS.gbits}
  --latency-us LIST microseconds that a message is under way, one way: one for all links, or one for each;
                    default: ${usualLatency(1)} up to 1 Gbit/s, ${usualLatency(10)} above
  --message-us N    microseconds of software for each message sent or received; default: 0
  --threads N       threads of a host; default: this machine's cores, as a power of two: ${usualThreads()}
  --global-batch N  images of a step that does not grow with the hosts; default: ${DEFAULTS['global-batch']}
  --pictures DIR    writes scaling-weak.png and scaling-strong.png
                    --batch-size is then the images of each host in a step that does; default: 128`;
}

/**
 * What is asked of the model, or undefined where nothing is.
 * @throws UsageError for a value that makes no model, and for a flag of the model without it.
 */
export function networkRequest(values: NetworkValues): NetworkRequest | undefined {
  const { 'model-of-the-network': asked, pictures, ...numbers } = values;
  if (!asked) {
    const { 'model-of-the-network': _, ...flags } = NETWORK_FLAGS;
    const stray = (Object.keys(flags) as (keyof typeof flags)[]).find((name) => values[name] !== undefined);
    if (stray !== undefined) throw new UsageError(`--${stray} needs --model-of-the-network.`);
    return undefined;
  }
  const given = {
    ...DEFAULTS,
    'message-us': '0',
    threads: String(usualThreads()),
    ...defined(numbers),
  };
  const hosts = numbersOf('hosts', given.hosts, isCount, 'whole numbers from 1 up');
  const [threads] = numbersOf('threads', given.threads, isCount, 'a whole number from 1 up', 1);
  const [globalBatch] = numbersOf(
    'global-batch',
    given['global-batch'],
    isCount,
    'a whole number from 1 up',
    1,
  );
  return { hosts, links: linksOf(given), threads: threads!, globalBatch: globalBatch!, pictures };
}

interface GivenLinks {
  readonly gbits: string;
  readonly 'latency-us'?: string;
  readonly 'message-us': string;
}

function linksOf(given: GivenLinks): Link[] {
  const gbits = numbersOf('gbits', given.gbits, (value) => value > 0, 'numbers above 0');
  const texts = given['latency-us'] ?? gbits.map(usualLatency).join();
  const latencies = numbersOf('latency-us', texts, (value) => value >= 0, 'numbers from 0 up');
  const [message] = numbersOf(
    'message-us',
    given['message-us'],
    (value) => value >= 0,
    'a number from 0 up',
    1,
  );
  if (latencies.length !== 1 && latencies.length !== gbits.length) {
    throw new UsageError(
      `--latency-us has ${latencies.length} numbers and --gbits ${gbits.length}: give one latency for all links, or one for each.`,
    );
  }
  return gbits.map((gbit, i) => ({
    bandwidth: gbit * 1e9,
    latency: latencies[latencies.length === 1 ? 0 : i]! / 1e6,
    message: message! / 1e6,
  }));
}

/** @throws UsageError where one is not as expected, or where there are more than `most`. */
function numbersOf(
  flag: string,
  text: string,
  isFit: (value: number) => boolean,
  expected: string,
  most = Number.POSITIVE_INFINITY,
): number[] {
  const words = text.split(',').map((word) => word.trim());
  const numbers = words.map((word) => (word === '' ? Number.NaN : Number(word)));
  if (numbers.length > most || !numbers.every((value) => Number.isFinite(value) && isFit(value))) {
    throw new UsageError(`--${flag} is ${text}: expected ${expected}.`);
  }
  return numbers;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;

function defined<T extends object>(values: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}
