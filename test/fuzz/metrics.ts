// metrics.jsonl as a resumed run finds it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { RunDirectory } from '#src/runs/runDirectory.js';
import { byteChange, changedBytes, changedText, type Json, textChange } from './mutations.js';
import { outcomeOf, type Property, property } from './property.js';
import { workDirectory } from './workDirectory.js';

const path = join(workDirectory(), 'run');

interface Written {
  readonly steps: number;
  readonly every: number;
  readonly keep: number;
  readonly line: number;
  readonly change: typeof textChange extends fc.Arbitrary<infer T> ? T | undefined : never;
  readonly bytes: typeof byteChange extends fc.Arbitrary<infer T> ? T | undefined : never;
}

const written: fc.Arbitrary<Written> = fc.record({
  steps: fc.nat({ max: 20 }),
  every: fc.integer({ min: 1, max: 3 }),
  keep: fc.nat({ max: 25 }),
  line: fc.nat(),
  change: fc.option(textChange, { nil: undefined }),
  bytes: fc.option(byteChange, { nil: undefined }),
});

function lineOf(step: number): { [key: string]: Json } {
  const terms = { elbo: -150.5 + step, logLikelihood: 'NaN', kl: 5 };
  if (step % 5 === 0)
    return { kind: 'epoch', step, epoch: step / 5, train: terms, test: { ...terms, kl: null } };
  return { kind: 'step', step, loss: 1 / step, seconds: step * 0.5 };
}

const metricsFiles = property(
  'metrics.jsonl with one thing changed is cut to the lines before a step, or refused by its line',
  500,
  written,
  async ({ steps, every, keep, line, change, bytes }) => {
    const all = Array.from({ length: steps }, (_, i) => lineOf((i + 1) * every));
    const lines = all.map((each) => JSON.stringify(each));
    if (change !== undefined && all.length > 0)
      lines[line % all.length] = changedText(all[line % all.length]!, change);
    const text = Buffer.from(lines.map((each) => `${each}\n`).join(''));
    const content = bytes === undefined ? text : changedBytes(text, bytes);
    mkdirSync(path, { recursive: true });
    const directory = new RunDirectory(path);
    writeFileSync(directory.metricsPath, content);
    const outcome = await outcomeOf(() => directory.truncateMetricsAfter(keep), [directory.metricsPath]);
    if (outcome.kind === 'accepted') {
      const before = new Set(content.toString().split('\n'));
      const kept = readFileSync(directory.metricsPath, 'utf8');
      assert.ok(kept === '' || kept.endsWith('\n'));
      for (const each of kept.split('\n').slice(0, -1)) {
        assert.ok(before.has(each));
        assert.ok((JSON.parse(each) as { step: number }).step <= keep);
      }
      if (change === undefined && bytes === undefined) {
        assert.equal(
          kept,
          lines
            .filter((_, i) => (i + 1) * every <= keep)
            .map((each) => `${each}\n`)
            .join(''),
        );
      }
    }
    // They only read, and are asked of a file that nobody has cut yet.
    writeFileSync(directory.metricsPath, content);
    const terms = await outcomeOf(() => directory.epochTerms(), [directory.metricsPath]);
    if (terms.kind === 'accepted') {
      for (const { train } of terms.value) assert.equal(typeof train.elbo, 'number');
    }
    await outcomeOf(() => directory.hasEpochMetrics(keep), [directory.metricsPath]);
    return outcome.kind;
  },
);

export const metricsProperties: readonly Property[] = [metricsFiles];
