// The kernels on a memory of poison: what they read beyond their inputs shows in the results, what they write
// beyond their outputs shows in the memory.

import assert from 'node:assert/strict';
import { type Address, addressOf } from '#src/kernels/address.js';
import { type Arithmetic, bindKernels, compileKernels, type Kernels } from '#src/kernels/kernels.js';

const PAGE = 65536;

/**
 * A quiet NaN as a float, an address far outside every test's memory as an offset, no grey 0 or 255 as bytes.
 */
const POISON = 0x7fc5a5a5;

/**
 * The bytes around outputs, −2.9e13 as floats: a NaN there could be read, computed with and written back with
 * the same bits.
 */
const SENTINEL = 0xd5;

/** Bytes of poison or sentinel around arrays: the slack that the product leaves behind its regions. */
const GUARD = 128;

type Values = Float32Array | Float64Array | Uint32Array | Uint8Array;

interface Region {
  readonly address: number;
  readonly end: number;
}

/** A shared memory of poison, the kernels bound to it, and arrays placed in it one after the other. */
export class KernelHarness {
  readonly memory: WebAssembly.Memory;
  readonly #arithmetic: Arithmetic;
  #kernels: Kernels | undefined;
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  readonly #outputs: Region[] = [];
  #next = GUARD;

  /** @param bytes room for all arrays that stand in the memory at once, guards included. */
  constructor(bytes = 1 << 19, arithmetic: Arithmetic = 'portable') {
    const pages = Math.ceil(bytes / PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#arithmetic = arithmetic;
    this.#bytes = Buffer.from(this.memory.buffer);
    this.#words = new Uint32Array(this.memory.buffer);
    this.#words.fill(POISON);
  }

  /** Forgets all arrays: poison everywhere. */
  reset(): void {
    this.#words.fill(POISON, 0, (this.#next + GUARD) / 4);
    this.#outputs.length = 0;
    this.#next = GUARD;
  }

  /** Places an array that kernels may only read. */
  input(values: Values): Address {
    const address = this.#reserve(values.byteLength);
    this.#write(address, values);
    return address;
  }

  u32(values: readonly number[]): Address {
    return this.input(Uint32Array.from(values));
  }

  /** Room for an array that a kernel writes; `writable` where it may write more bytes than the array has. */
  output(bytes: number, writable = bytes): Address {
    this.#next += GUARD;
    const address = this.#reserve(writable);
    const end = address + writable;
    this.#bytes.fill(SENTINEL, address - GUARD, address);
    this.#bytes.fill(SENTINEL, end, end + GUARD);
    this.#outputs.push({ address, end });
    return address;
  }

  /** Places an array that a kernel reads and overwrites. */
  inPlace(values: Values, writable = values.byteLength): Address {
    const address = this.output(values.byteLength, writable);
    this.#write(address, values);
    return address;
  }

  /** Declares a part of a placed array writable. */
  allow(address: number, bytes: number): void {
    this.#outputs.push({ address, end: address + bytes });
  }

  /** Calls a kernel, and asserts that every byte outside the outputs is what it was. */
  run(call: (kernels: Kernels) => void): void {
    const used = this.#next + GUARD;
    const before = Buffer.from(this.#bytes.subarray(0, used));
    // Not before: an engine may know no fused kernels, and skip their tests.
    this.#kernels ??= bindKernels(compileKernels(this.#arithmetic), this.memory);
    call(this.#kernels);
    const outputs = [...this.#outputs].sort((a, b) => a.address - b.address);
    let from = 0;
    for (const { address, end } of [...outputs, { address: used, end: used }]) {
      if (from < address) this.#assertUntouched(before, from, address);
      from = Math.max(from, end);
    }
  }

  #assertUntouched(before: Buffer, from: number, to: number): void {
    if (this.#bytes.compare(before, from, to, from, to) === 0) return;
    let at = from;
    while (this.#bytes[at] === before[at]) at++;
    assert.fail(`The kernel wrote to byte ${at}, outside its outputs (${at - from} bytes behind one's end).`);
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count).slice();
  }

  doubles(address: number, count: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, count).slice();
  }

  words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, count).slice();
  }

  #write(address: number, values: Values): void {
    this.#bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address);
  }

  #reserve(bytes: number): Address {
    const address = this.#next;
    // Aligned for doubles, but not always for vectors: tensors of the flat parameter buffer begin anywhere.
    this.#next = roundUp(address + bytes, 8) + GUARD + 8;
    const room = this.memory.buffer.byteLength;
    if (this.#next + GUARD > room) throw new Error(`The harness needs more than ${room} bytes.`);
    return addressOf(address);
  }
}

/** `count` floats as whole vectors of four, in bytes. */
export function wholeVectors(count: number): number {
  return roundUp(count, 4) * Float32Array.BYTES_PER_ELEMENT;
}

function roundUp(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit;
}

/** Asserts equal bits; NaN, whose payload WebAssembly leaves open, equals only NaN. */
export function assertSameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) {
      assert.fail(`${what}: value ${i} is ${actual[i]}, expected the bits of ${expected[i]}`);
    }
  }
}
