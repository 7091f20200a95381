import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arithmetic } from '#src/kernels/kernels.js';
import { canFuse, choosePlatform, type Platform } from '#src/kernels/platform.js';
import { TILE_NAMES, type TileName } from '#src/kernels/tiles/tile.js';
import { modes } from './arithmeticMode.js';
import { kernelNames } from './everyKernel.js';
import { platformInProcess } from './platformProcess.js';

const major = process.versions.node.split('.')[0]!;

/** Where V8 re-vectorises: the tile of each mode. */
const wideTiles: Partial<Record<string, Record<Arithmetic, TileName>>> = {
  22: { portable: '4x16', fused: '6x8' },
  24: { portable: '4x16', fused: '6x16' },
};

/** The tile of each mode in registers of 128 bits. */
const plainTiles: Record<Arithmetic, TileName> = { portable: '4x8', fused: '6x8' };

const notRevectorizing =
  process.arch === 'x64' && wideTiles[major]
    ? false
    : `Node ${major} does not re-vectorise on ${process.arch}`;

function withoutModule({ module: _, ...rest }: Platform): Omit<Platform, 'module'> {
  return rest;
}

test('by default: fused where this machine fuses, plain kernels, the tile that fits 128-bit registers', () => {
  const arithmetic = canFuse() ? 'fused' : 'portable';
  const expected = { arithmetic, tile: plainTiles[arithmetic], revectorized: false, warnings: [] };
  assert.deepEqual(withoutModule(choosePlatform()), expected);
  assert.equal(choosePlatform(), choosePlatform({ revectorize: false }), 'compiled once');
});

test('arithmetic and tile as asked for', () => {
  for (const tile of TILE_NAMES) {
    const expected = { arithmetic: 'portable', tile, revectorized: false, warnings: [] };
    assert.deepEqual(withoutModule(choosePlatform({ arithmetic: 'portable', tile })), expected);
  }
});

for (const { arithmetic, skip } of modes) {
  test(`${arithmetic}, re-vectorised where that was verified, and its tile`, { skip }, async () => {
    const { platform } = await platformInProcess({ options: { arithmetic, revectorize: true } });
    const tile = notRevectorizing ? undefined : wideTiles[major]?.[arithmetic];
    assert.deepEqual(platform, {
      arithmetic,
      tile: tile ?? plainTiles[arithmetic],
      revectorized: tile !== undefined,
      warnings: [],
    });
  });

  test(`${arithmetic}: the self-test sees the optimised code of each of its kernels`, {
    skip: skip || notRevectorizing,
  }, async () => {
    const options = { arithmetic, revectorize: true };
    const { platform, unoptimizedBySelfTest } = await platformInProcess({ options, selfTest: true });
    assert.equal(platform!.revectorized, true);
    assert.deepEqual(unoptimizedBySelfTest, []);
  });

  test(`${arithmetic}: every kernel gives the same bits re-vectorised`, {
    skip: skip || notRevectorizing,
  }, async () => {
    const [plain, wide] = await Promise.all(
      [false, true].map((revectorize) =>
        platformInProcess({ options: { arithmetic, revectorize }, digests: true }),
      ),
    );
    assert.equal(wide!.platform!.revectorized, true);
    assert.equal(plain!.platform!.revectorized, false);
    assert.deepEqual([plain!.unoptimized, wide!.unoptimized], [[], []]);
    assert.deepEqual(Object.keys(wide!.digests), [...kernelNames]);
    assert.deepEqual(wide!.digests, plain!.digests);
  });
}

test('tiles of six rows are compiled at once where V8 would unroll them, others by and by', async () => {
  for (const tile of TILE_NAMES) {
    const report = await platformInProcess({ options: { arithmetic: 'portable', tile } });
    const atOnce = Number(major) < 24 && tile.startsWith('6');
    assert.equal(report.optimizedAtOnce, atOnce, tile);
    assert.equal(report.unsharedOptimizedAtOnce, atOnce, `${tile}, a memory that is not shared`);
    assert.equal(report.laterOptimizedAtOnce, false, `after ${tile}`);
  }
});

test('re-vectorised kernels that give other bits: plain ones, and a warning', {
  skip: notRevectorizing,
}, async () => {
  const options = { arithmetic: 'portable', revectorize: true } as const;
  const { platform } = await platformInProcess({ options, fault: 'gemm6x16' });
  assert.deepEqual(platform, {
    arithmetic: 'portable',
    tile: '4x8',
    revectorized: false,
    warnings: [
      'Re-vectorised kernels gave other bits than plain ones on this machine: the plain ones are used.',
    ],
  });
});

// A flag of V8 for x64 takes the processor's multiply-add away.
const onX64 = { skip: process.arch === 'x64' ? false : 'V8 can be told not to fuse on x64 alone' };

test('a machine that does not fuse: portable by default', onX64, async () => {
  const { canFuse, platform } = await platformInProcess({ options: {} }, ['--no-enable-fma3']);
  assert.equal(canFuse, false);
  assert.equal(platform!.arithmetic, 'portable');
});

test('a machine that does not fuse: fused arithmetic is refused', onX64, async () => {
  const task = { options: { arithmetic: 'fused' } } as const;
  const { error, platform } = await platformInProcess(task, ['--no-enable-fma3']);
  assert.equal(platform, undefined);
  assert.deepEqual(error, {
    name: 'UsageError',
    message:
      `Fused arithmetic is not available here: Node ${process.versions.node} on this machine does not round a ` +
      'multiply-add once. Use --arithmetic portable for a new run; a run that was started fused goes on only where ' +
      'multiply-adds are fused.',
  });
});
