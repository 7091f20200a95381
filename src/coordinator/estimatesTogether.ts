// Estimates of examples that processes share out among each other.

import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { processRange } from '../collective/processPlace.js';
import type { Figures } from '../inference/estimates/estimate.js';
import type { PlacedExamples } from '../worker/inferenceTask.js';
import type { EstimatedRange } from './inferencePool.js';

/**
 * Has each process estimate neighbouring examples, and brings all of them the figures of all.
 * @param estimate gives fewer examples than it is asked for where it is stopped.
 * @returns the figures of the examples before the first one that is missing.
 */
export async function sharedOut(
  group: ProcessGroup | undefined,
  { positions, x }: PlacedExamples,
  estimate: (examples: PlacedExamples) => Promise<EstimatedRange>,
): Promise<EstimatedRange> {
  if (group === undefined) return await estimate({ positions, x });
  const count = positions.length;
  const width = x.length / count;
  const { first, end } = processRange(count, group.place);
  const part = { positions: positions.slice(first, end), x: x.slice(first * width, end * width) };
  const own = end === first ? { count: 0, figures: {} } : await estimate(part);
  const texts = await group.gatherTexts(textOf(own), Number.POSITIVE_INFINITY);
  const { processes } = group.place;
  const ranges: EstimatedRange[] = [];
  for (const [process, text] of texts.entries()) {
    const range = rangeOf(text);
    const asked = processRange(count, { processes, process });
    if (range.count > 0) ranges.push(range);
    if (range.count < asked.end - asked.first) break;
  }
  return joined(ranges);
}

/** Ranges that follow one another, as one. */
function joined(ranges: readonly EstimatedRange[]): EstimatedRange {
  const names = Object.keys(ranges[0]?.figures ?? {});
  const figures = names.map((name): [string, Float64Array] => {
    const parts = ranges.map((range) => range.figures[name]!);
    const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
    let place = 0;
    for (const part of parts) {
      all.set(part, place);
      place += part.length;
    }
    return [name, all];
  });
  return {
    count: ranges.reduce((sum, range) => sum + range.count, 0),
    figures: Object.fromEntries(figures),
  };
}

/** Float64 as bytes: JSON has no NaN. */
function textOf({ count, figures }: EstimatedRange): string {
  const bytes = Object.entries(figures).map(([name, { buffer, byteOffset, byteLength }]) => {
    return [name, Buffer.from(buffer, byteOffset, byteLength).toString('base64')];
  });
  return JSON.stringify({ count, figures: Object.fromEntries(bytes) });
}

function rangeOf(text: string): EstimatedRange {
  const read = JSON.parse(text) as { count: number; figures: Record<string, string> };
  const figures: Figures = Object.fromEntries(
    Object.entries(read.figures).map(([name, base64]) => {
      const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
      return [name, new Float64Array(bytes.buffer)];
    }),
  );
  return { count: read.count, figures };
}
