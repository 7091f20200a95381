// `lowerbound bench`, for a moment: what it prints, and that its advice can be followed.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { before, describe, it } from 'node:test';
import { trainCommandLine, undecidedText } from '#src/cli/bench.js';
import { canFuse } from '#src/kernels/platform.js';
import { succeed, succeedWithJson, temporaryDirectory, writeSmallData } from './smallRun.js';

interface Variant {
  readonly workers: number;
  readonly backend: string;
  readonly arithmetic: string;
  readonly revectorized: boolean;
  readonly imagesPerSecond: number;
  readonly epochSeconds: number;
}

const TRAIN_COUNT = 100;
const short = ['bench', '--data', 'data', '--batch-size', '16', '--seconds', '0.3'];

describe('bench', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  before(() => writeSmallData(directory, 'data', TRAIN_COUNT));

  it('prints a table, and a line that train accepts, or why there is none', async () => {
    const output = await succeed(short, directory);
    assert.match(
      output,
      /^.+, \d+ cores, Node \d+\.\d+\.\d+\nModel cvae on data, batches of 16: \d+ ways to train, whose parameters agree\.\nMeasuring …\n/,
    );
    assert.match(output, /^Workers +Backend +Arithmetic +Vectors +Tile +Images\/s +Epoch +Of best +Spread$/m);
    assert.match(output, /^ +1 {2}simd +portable +128-bit +4x8 +[\d,.]+ +\d+ s +\d+ % +\d+ %$/m);
    const advice = /^Use: lowerbound (train --model cvae --batch-size 16 --data data .+)$/m.exec(output)?.[1];
    // So short a measurement seldom tells its rows apart.
    if (advice === undefined) {
      assert.match(
        output,
        /^No recommendation: \d+ rows of simd are at most \d+ % apart, but the rounds of a/m,
      );
      return;
    }
    await succeed([...advice.split(' '), '--max-steps', '1', '--no-pictures'], directory);
  });

  const row = {
    workers: 1,
    backend: 'simd',
    arithmetic: 'portable',
    revectorized: false,
    tile: '4x8',
    imagesPerSecond: 1000,
    spread: 0.25,
    epochSeconds: 60,
  } as const;

  it('recommends what train accepts', async () => {
    const line = trainCommandLine({ batchSize: 16 }, row, { model: 'mlp', data: 'data' });
    assert.equal(
      line,
      'lowerbound train --model mlp --batch-size 16 --data data --workers 1 --arithmetic portable --no-revectorize',
    );
    await succeed([...line.split(' ').slice(1), '--max-steps', '1', '--no-pictures'], directory);
  });

  it('says why it recommends nothing', () => {
    const slower = { ...row, workers: 2, imagesPerSecond: 900, spread: 0.1 };
    assert.equal(
      undecidedText({ undecided: [row, slower] }),
      'No recommendation: 2 rows of simd are at most 10 % apart, but the rounds of a row differ by up to 25 % (Spread), so ' +
        'another measurement could turn them round. Measure again, longer (--seconds 120) and on a machine that does ' +
        'nothing else. Until then use train without --workers, --arithmetic and --revectorize: its defaults suit most ' +
        'machines.',
    );
  });

  it('prints JSON: every way once, the fastest first, with the recommended one', async () => {
    const result = await succeedWithJson([...short, '--model', 'mlp'], directory);
    const variants = result.variants as Variant[];
    const ways = variants.map((v) => `${v.workers} ${v.backend} ${v.arithmetic} ${v.revectorized}`);
    assert.equal(new Set(ways).size, ways.length);
    const most = Math.min(availableParallelism(), 8);
    for (const arithmetic of canFuse() ? ['portable', 'fused'] : ['portable']) {
      for (const workers of [1, most])
        assert.ok(ways.includes(`${workers} simd ${arithmetic} false`), `${ways}`);
    }
    const speeds = variants.map((v) => v.imagesPerSecond);
    assert.deepEqual(
      speeds,
      [...speeds].sort((a, b) => b - a),
    );
    for (const { imagesPerSecond, epochSeconds } of variants) {
      assert.ok(imagesPerSecond > 0);
      assert.equal(epochSeconds, TRAIN_COUNT / imagesPerSecond);
    }
    const { model, batchSize, trainCount, node } = result;
    assert.deepEqual(
      { model, batchSize, trainCount, node },
      { model: 'mlp', batchSize: 16, trainCount: TRAIN_COUNT, node: process.version },
    );
    const recommended = result.recommended as Variant | null;
    assert.ok(
      ways.some((way) => way.includes('wasm')),
      `${ways}`,
    );
    if (recommended === null) {
      assert.ok((result.undecided as Variant[]).length > 1);
      assert.equal(result.command, null);
      return;
    }
    assert.deepEqual(result.undecided, []);
    assert.ok(variants.some((variant) => JSON.stringify(variant) === JSON.stringify(recommended)));
    assert.equal(recommended.backend, 'simd');
    // At least as fast as the fastest of its backend but for what counts as equal.
    const fastest = variants.find(({ backend }) => backend === 'simd')!;
    assert.ok(recommended.imagesPerSecond >= 0.98 * fastest.imagesPerSecond);
    assert.match(result.command as string, new RegExp(`--workers ${recommended.workers} `));
  });
});
