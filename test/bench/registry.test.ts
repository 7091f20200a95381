// The kernels' registry, which the benchmarks time: every case is verified here, on every tile, in both
// modes; no kernel is without a case; and a wrong result is noticed in each.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileKernels, type Kernels } from '#src/kernels/kernels.js';
import { TILE_NAMES } from '#src/kernels/tiles/tile.js';
import { caseName } from '../../bench/kernelCase.js';
import { kernelCases } from '../../bench/registry.js';
import { Workbench } from '../../bench/workbench.js';
import { modes } from '../kernels/arithmeticMode.js';
import { tensorCalls } from '../kernels/tensorCalls.js';

type Kernel = (...args: number[]) => unknown;

/**
 * Two images: more than one, so that strides between images count. 26 examples: shards of three and of four,
 * and no multiple of a tile's rows or of a vector.
 */
const cases = kernelCases({ mostImages: 2, mostExamples: 26 });

/** Looks how the machine rounds: a result to verify it by would be that of this machine alone. */
const PROBE = 'multiplyAddProbe';

/** Kernels that the tile decides about; for the others one tile is as good as another. */
const TILED = ['gemm', 'filterGradient', 'treeGradient', 'sumRows', 'packPanels'];

/** All kernels, each call passed through `call`. */
function wrapped(kernels: Kernels, call: (name: string, run: () => unknown) => unknown): Kernels {
  return Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]) => [
      name,
      (...args: number[]) => call(name, () => (kernel as Kernel)(...args)),
    ]),
  ) as unknown as Kernels;
}

describe('the registry of kernels', () => {
  it('names no case twice', () => {
    const names = cases.map(caseName);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  });

  for (const { arithmetic, skip } of modes) {
    it(`verifies every case on every tile, ${arithmetic}`, { skip }, () => {
      const module = compileKernels(arithmetic);
      const called = new Set<string>();
      let exported: string[] = [];
      for (const tile of TILE_NAMES) {
        const wrap = (kernels: Kernels) => {
          exported = Object.keys(kernels);
          return wrapped(kernels, (name, run) => {
            called.add(name);
            return run();
          });
        };
        const bench = new Workbench({ module, tile, wrap });
        for (const kernelCase of cases) {
          if (tile !== TILE_NAMES[0] && !TILED.includes(kernelCase.kernel)) continue;
          bench.clear();
          const prepared = kernelCase.prepare(bench);
          prepared.reset();
          prepared.run();
          prepared.check();
        }
      }
      const engine = exported.filter((name) => !(name in tensorCalls));
      assert.deepEqual(engine.filter((name) => !called.has(name)).sort(), [PROBE]);
    });
  }

  it('notices in every case one wrong value, and a kernel that does nothing', () => {
    const saboteur = new Saboteur();
    const bench = new Workbench({
      module: compileKernels('portable'),
      tile: '6x16',
      wrap: (kernels, memory) => saboteur.wrap(kernels, memory),
    });
    for (const kernelCase of cases) {
      for (const fault of ['wrong value', 'nothing'] as const) {
        bench.clear();
        const prepared = kernelCase.prepare(bench);
        prepared.reset();
        saboteur.arm(fault, bench.arena.end);
        prepared.run();
        assert.throws(() => prepared.check(), /: element \d+ is /, `${fault}: ${caseName(kernelCase)}`);
      }
    }
  });
});

/** Spoils the first call of a kernel after it was armed. */
class Saboteur {
  #fault: 'wrong value' | 'nothing' | undefined;
  #bytes = 0;

  arm(fault: 'wrong value' | 'nothing', bytes: number): void {
    this.#fault = fault;
    this.#bytes = bytes;
  }

  wrap(kernels: Kernels, memory: WebAssembly.Memory): Kernels {
    return wrapped(kernels, (_, run) => {
      const fault = this.#fault;
      this.#fault = undefined;
      if (fault === undefined) return run();
      if (fault === 'nothing') return 0;
      const words = new Uint32Array(memory.buffer, 0, this.#bytes / 4);
      const before = words.slice();
      const result = run();
      const at = words.findIndex((word, i) => word !== before[i]);
      // The exponent's highest bit: what was below 2, 0 too, is at least 2, and the other way round.
      words[at]! ^= 0x40000000;
      return result;
    });
  }
}
