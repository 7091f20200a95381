import { type Address, addressOf } from './address.js';

/** A cache line, and a multiple of every vector's size. */
const ALIGNMENT = 64;

/** Vectors may be read past the end of a region, never past this many bytes. */
const SLACK = 128;

/** The largest address of 32-bit WebAssembly. */
const LIMIT = 2 ** 32;

interface Table {
  readonly address: Address;
  readonly values: Uint32Array;
}

/**
 * Places regions one after the other in a WebAssembly memory. Placing is arithmetic alone: planning at
 * address 0 gives the size, and a plan at a real address is made real by `materialize`, which writes its
 * tables.
 */
export class Arena {
  #next: Address;
  readonly #tables: Table[] = [];

  constructor(readonly start: number) {
    this.#next = align(start);
  }

  /** First free address. */
  get end(): Address {
    return this.#next;
  }

  /**
   * Reserves bytes, aligned to a cache line, with readable slack behind them.
   * @throws RangeError when the region would lie beyond 4 GiB.
   */
  reserve(bytes: number): Address {
    const address = this.#next;
    const end = address + bytes + SLACK;
    if (!Number.isSafeInteger(end) || end > LIMIT) {
      throw new RangeError(
        `The run needs more than 4 GiB of WebAssembly memory (${(end / 2 ** 30).toFixed(1)} GiB). ` +
          'Choose a smaller batch, fewer samples, fewer workers or a smaller model.',
      );
    }
    this.#next = align(end);
    return address;
  }

  floats(count: number): Address {
    return this.reserve(count * Float32Array.BYTES_PER_ELEMENT);
  }

  doubles(count: number): Address {
    return this.reserve(count * Float64Array.BYTES_PER_ELEMENT);
  }

  /** Reserves a table of u32 that `materialize` will write. */
  table(values: readonly number[]): Address {
    const address = this.reserve(values.length * Uint32Array.BYTES_PER_ELEMENT);
    this.#tables.push({ address, values: Uint32Array.from(values) });
    return address;
  }

  materialize(buffer: ArrayBufferLike): void {
    for (const { address, values } of this.#tables) {
      new Uint32Array(buffer, address, values.length).set(values);
    }
  }
}

function align(address: number): Address {
  return addressOf(Math.ceil(address / ALIGNMENT) * ALIGNMENT);
}
