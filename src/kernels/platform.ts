import v8 from 'node:v8';
import { UsageError } from '../errors.js';
import { runtime } from '../runtime.js';
import {
  type Arithmetic,
  bindKernels,
  compileKernels,
  compileNamed,
  type Kernels,
  kernelBytes,
} from './kernels.js';
import { tilesKeepTheirBits } from './selfTest/selfTest.js';
import { TILES, type TileName } from './tiles/tile.js';
import { sharedMemory, type WasmModule } from './webAssembly.js';

/** Node majors on which V8's 256-bit re-vectorisation was seen to work and to keep the bits. */
const REVECTORIZING_MAJORS = [22, 24];

/** The first Node major whose V8 compiles WebAssembly by Turboshaft, in the order of the source. */
const TURBOSHAFT_MAJOR = 24;

/** What the kernels run on in this process. */
export interface Platform {
  readonly arithmetic: Arithmetic;
  readonly tile: TileName;
  /** Whether V8 was told to pair 128-bit operations to 256 bits, and passed the self-test. */
  readonly revectorized: boolean;
  /** May be sent to workers: V8's flags hold for the whole process. */
  readonly module: WasmModule;
  /** What did not go as hoped, in sentences. */
  readonly warnings: readonly string[];
}

export interface PlatformOptions {
  /** Default: fused where this machine fuses. */
  readonly arithmetic?: Arithmetic;
  /**
   * Whether V8 may re-vectorise, where that was verified; default false. A flag of V8: it holds for the whole
   * process.
   */
  readonly revectorize?: boolean;
  /** Default: the fastest one known for this Node and its flags. */
  readonly tile?: TileName;
}

const chosen = new Map<string, Platform>();

/**
 * Chooses kernels for this process. The arithmetic mode decides bits; tile and re-vectorisation decide speed
 * alone.
 * @throws UsageError for fused arithmetic on a machine that does not fuse.
 */
export function choosePlatform({ arithmetic, revectorize = false, tile }: PlatformOptions = {}): Platform {
  const mode = arithmetic ?? (canFuse() ? 'fused' : 'portable');
  if (mode === 'fused' && !canFuse()) {
    throw new UsageError(
      `Fused arithmetic is not available here: ${runtime()} on this machine does not round a multiply-add once. ` +
        'Use --arithmetic portable for a new run; a run that was started fused goes on only where multiply-adds are fused.',
    );
  }
  const key = `${mode} ${revectorize} ${tile}`;
  let platform = chosen.get(key);
  if (platform === undefined) {
    platform = prepare(mode, revectorize, tile);
    chosen.set(key, platform);
  }
  return platform;
}

/**
 * Kernels for a trained model: portable where this machine does not fuse. The last digits of an inference
 * matter less than having it.
 */
export function inferencePlatform(arithmetic: Arithmetic, revectorize: boolean): Platform {
  const mode = arithmetic === 'fused' && !canFuse() ? 'portable' : arithmetic;
  return choosePlatform({ arithmetic: mode, revectorize });
}

/** Verdicts of the self-test, by module. */
const keptBits = new Map<string, boolean>();

function prepare(arithmetic: Arithmetic, wanted: boolean, tile: TileName | undefined): Platform {
  // Other processors have no vectors of 256 bits: V8 knows no such flag there, and says so on standard error.
  const possible = process.arch === 'x64' && REVECTORIZING_MAJORS.includes(nodeMajor());
  if (possible && wanted) {
    v8.setFlagsFromString('--experimental-wasm-revectorize');
    const fastest = tile ?? fastestTile(arithmetic, true);
    const module = compileToBeTested(fastest, kernelBytes(arithmetic));
    if (keepsBits(module, arithmetic, fastest)) {
      return { arithmetic, tile: fastest, revectorized: true, module, warnings: [] };
    }
  }
  // Also after an earlier platform of this process that had it on.
  if (possible) v8.setFlagsFromString('--no-experimental-wasm-revectorize');
  const warnings =
    possible && wanted
      ? ['Re-vectorised kernels gave other bits than plain ones on this machine: the plain ones are used.']
      : [];
  // V8 keeps compiled code by a module's bytes: the name makes these bytes different from those above.
  const fastest = tile ?? fastestTile(arithmetic, false);
  const module = compileFor(fastest, kernelBytes(arithmetic), 'plain');
  return { arithmetic, tile: fastest, revectorized: false, module, warnings };
}

/**
 * V8 optimises a function when so many bytes of its code have run (roughly). By V8's own budget the smaller
 * kernels would be optimised long after the self-test, which is to see the optimised code of all of them.
 */
const TIERING_BUDGET = { tested: 20_000, byDefault: 13_000_000 };

/**
 * Compiles re-vectorised kernels, whose functions V8 optimises within the self-test: a budget is a module's.
 */
function compileToBeTested(tile: TileName, bytes: Uint8Array): WasmModule {
  v8.setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.tested}`);
  try {
    return compileFor(tile, bytes, 'revectorized');
  } finally {
    v8.setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET.byDefault}`);
  }
}

function keepsBits(module: WasmModule, arithmetic: Arithmetic, tile: TileName): boolean {
  const key = `${arithmetic} ${spillsUnrolled(tile)}`;
  let kept = keptBits.get(key);
  if (kept === undefined) {
    kept = tilesKeepTheirBits(module, compileKernels(arithmetic, 'first code'));
    keptBits.set(key, kept);
  }
  return kept;
}

/**
 * Whether V8 would unroll the tile's loops, do the loads of all steps first and spill accumulators
 * (docs/performance.md).
 */
function spillsUnrolled(tile: TileName): boolean {
  return TILES[tile].rows === 6 && nodeMajor() < TURBOSHAFT_MAJOR;
}

/**
 * Flags of V8, on by default: without them it compiles a module at once, by its optimising compiler, and
 * unrolls no loop.
 */
const UNROLLING_FLAGS = ['liftoff', 'wasm-lazy-compilation', 'wasm-loop-unrolling'];

/**
 * Compiles for a tile. V8's flags hold for the process and where V8 compiles in the background later on: so a
 * module that is not to be unrolled is compiled here and now (some 40 ms), and other WebAssembly of the
 * process sees nothing of it.
 */
function compileFor(tile: TileName, bytes: Uint8Array, name: string): WasmModule {
  if (!spillsUnrolled(tile)) return compileNamed(bytes, name);
  for (const flag of UNROLLING_FLAGS) v8.setFlagsFromString(`--no-${flag}`);
  try {
    return compileNamed(bytes, `${name}, not unrolled`);
  } finally {
    for (const flag of UNROLLING_FLAGS) v8.setFlagsFromString(`--${flag}`);
  }
}

/** The kernels of a platform for a memory that no other thread shares. */
export function unsharedKernels(platform: Platform): WasmModule {
  return compileLike(platform, kernelBytes(platform.arithmetic, { shared: false }));
}

/** Compiles a module as a platform's kernels were compiled. */
export function compileLike({ tile, revectorized }: Platform, bytes: Uint8Array): WasmModule {
  return compileFor(tile, bytes, revectorized ? 'revectorized' : 'plain');
}

/**
 * Whether re-vectorisation is safe where TensorFlow.js's own WebAssembly runs in the process, too: V8's flag
 * holds for all. Under Node 22 its ceil, round, relu6, clipByValue and sigmoid leave the last elements out;
 * under Node 24 operations of 86 kinds kept their bits.
 */
export function revectorizesTfjs(): boolean {
  return nodeMajor() !== 22;
}

/**
 * As measured (docs/performance.md). Fifteen registers hold 4×8 or 6×8 accumulators of 128 bits, 4×16 or 6×16
 * of 256; the taller ones only fused: a product that is rounded by itself takes one more.
 */
function fastestTile(arithmetic: Arithmetic, revectorized: boolean): TileName {
  // V8 12.4 (Node 22) pairs separate multiplies and adds, but not fused ones.
  const wide = revectorized && (arithmetic === 'portable' || nodeMajor() >= 24);
  if (arithmetic === 'fused') return wide ? '6x16' : '6x8';
  return wide ? '4x16' : '4x8';
}

let fuses: boolean | undefined;

/**
 * Whether relaxed multiply-adds are fused here, in V8's first code for a function and in its optimised code:
 * the standard lets an engine round once or twice.
 */
export function canFuse(): boolean {
  fuses ??= probeFusing();
  return fuses;
}

/** V8 optimises so small a function after 60,000 to 340,000 calls (Node 20, 22, 24): some milliseconds. */
const PROBE_CALLS = 500_000;

function probeFusing(): boolean {
  // Node 20 has relaxed SIMD behind a flag; later ones know the flag no more.
  if (nodeMajor() < 22) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  // Not among what is caught: a machine that fuses must not be taken for another one for want of memory.
  const memory = sharedMemory(1);
  try {
    const kernels = bindKernels(compileKernels('fused', 'plain'), memory);
    for (let i = 0; i < PROBE_CALLS; i++) if (!fusesOnce(kernels)) return false;
    return true;
  } catch {
    // No relaxed SIMD.
    return false;
  }
}

/** (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴ where the product is not rounded, 0 where it is. */
function fusesOnce(kernels: Kernels): boolean {
  return kernels.multiplyAddProbe(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) === 2 ** -24;
}

function nodeMajor(): number {
  return Number(process.versions.node.split('.')[0]);
}
