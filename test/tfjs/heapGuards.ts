// Canaries in the heap of the wasm backend: every block that JavaScript asks for, so every tensor, gets a
// region before and behind it that nothing may write.

import { randomFillSync } from 'node:crypto';
import type { WasmBackend } from '#src/tfjs/tensorflow.js';

/** Bytes on each side of a block. */
const SIDE = 1024;

/** In front of all others, and behind. */
const FAR = 2 ** 20;

/** NaN and numbers so large that whoever reads them shows it. */
const CANARY = canary();

function canary(): Buffer {
  const values = new Float32Array(FAR / 4);
  for (let i = 0; i < values.length; i++)
    values[i] = [1.5e30, Number.NaN, -2.5e30][i % 3]! * (1 + (i % 1021));
  return Buffer.from(values.buffer);
}

interface Block {
  readonly address: number;
  readonly bytes: number;
}

/** Put around a backend before anything else asks its allocator. */
export class HeapGuards {
  readonly #wasm: WasmBackend['wasm'];
  readonly #blocks = new Map<number, Block>();
  readonly #allocate: (bytes: number) => number;
  readonly #free: (address: number) => void;
  readonly #far: readonly number[];
  /** Blocks that were made since the last look. */
  #recent = new Set<Block>();
  #damage: string[] = [];

  constructor(wasm: WasmBackend['wasm']) {
    this.#wasm = wasm;
    // Emscripten replaces its stubs at the first call.
    wasm._free(wasm._malloc(8));
    this.#allocate = wasm._malloc;
    this.#free = wasm._free;
    this.#far = [this.#allocate(FAR), this.#allocate(FAR)];
    for (const address of this.#far) this.#bytes(address, FAR).set(CANARY);
    wasm._malloc = (bytes) => this.#guarded(bytes);
    wasm._free = (address) => this.#release(address);
  }

  /** What has been written where nothing may be, since the last call. */
  takeDamage(all = false): string[] {
    for (const block of all ? this.#blocks.values() : this.#recent) this.#look(block);
    this.#recent = new Set();
    if (all && this.#far.some((address) => !this.#bytes(address, FAR).equals(CANARY))) {
      this.#damage.push('a megabyte far from any tensor has changed');
      for (const address of this.#far) this.#bytes(address, FAR).set(CANARY);
    }
    const damage = this.#damage;
    this.#damage = [];
    return damage;
  }

  #bytes(address: number, length: number): Buffer {
    const memory = this.#wasm.asm?.memory ?? this.#wasm.wasmMemory;
    if (memory === undefined) throw new Error('The backend does not show its memory.');
    return Buffer.from(memory.buffer as ArrayBuffer, address >>> 0, length);
  }

  #guarded(bytes: number): number {
    const start = this.#allocate(bytes + 2 * SIDE);
    if (start === 0) return 0;
    // What a new tensor holds is anything.
    randomFillSync(this.#bytes(start, bytes + 2 * SIDE));
    const block = { address: start + SIDE, bytes };
    this.#paint(block);
    this.#blocks.set(block.address, block);
    this.#recent.add(block);
    return block.address;
  }

  #release(address: number): void {
    const block = this.#blocks.get(address);
    // C++ has made it.
    if (block === undefined) {
      this.#free(address);
      return;
    }
    this.#look(block);
    this.#blocks.delete(address);
    this.#recent.delete(block);
    this.#free(address - SIDE);
  }

  #sides({ address, bytes }: Block): readonly Buffer[] {
    return [this.#bytes(address - SIDE, SIDE), this.#bytes(address + bytes, SIDE)];
  }

  #paint(block: Block): void {
    for (const side of this.#sides(block)) side.set(CANARY.subarray(0, SIDE));
  }

  #look(block: Block): void {
    const intact = CANARY.subarray(0, SIDE);
    this.#sides(block).forEach((side, i) => {
      if (side.equals(intact)) return;
      const place = i === 0 ? 'before' : 'behind';
      this.#damage.push(`memory ${place} a block of ${block.bytes} bytes was written`);
      this.#paint(block);
    });
  }
}
