// What a section of the benchmarks gives: tables of rows that are names and numbers, to print, to keep and to
// compare.

import type { PresetName } from '#src/model/presets.js';
import type { NetworkRequest } from './networkOptions.js';

export type Row = Readonly<Record<string, string | number>>;

export interface Column {
  readonly key: string;
  readonly heading: string;
  /** How a number is printed; default: as it is. */
  readonly format?: (value: number) => string;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  /** Keys that tell rows apart. */
  readonly identity: readonly string[];
  /** The figure that comparisons look at. */
  readonly measure: { readonly key: string; readonly better: 'higher' | 'lower' };
  readonly rows: readonly Row[];
}

export interface Request {
  /** A line on what is being done. */
  readonly say: (line: string) => void;
  /** Only this preset, where given. */
  readonly model: PresetName | undefined;
  /** Only this batch size, where given. */
  readonly batchSize: number | undefined;
  /** A model of the network in place of what is measured on this machine alone: the section scaling. */
  readonly network: NetworkRequest | undefined;
}

export interface Section {
  readonly name: string;
  readonly run: (request: Request) => Promise<readonly Table[]>;
}

export const whole = (value: number) => value.toFixed(0);
export const oneDecimal = (value: number) => value.toFixed(1);
export const twoDecimals = (value: number) => value.toFixed(2);
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
export const times = (ratio: number) => `${ratio.toFixed(2)}×`;
export const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
