// Products on a host of our own, with a count of the kernel's calls that sums lists of nonzeros.

import { mock } from 'node:test';
import { type Address, NONE } from '#src/kernels/address.js';
import { choosePlatform } from '#src/kernels/platform.js';
import type { TileName } from '#src/kernels/tiles/tile.js';
import type { MatrixProduct } from '#src/products/matrix.js';
import { multiply } from '#src/products/matrixProduct.js';
import { Host } from '#src/tfjs/host.js';
import type { WasmBackend } from '#src/tfjs/tensorflow.js';
import { sampleValues } from '../tfjs/boundedProduct.js';
import { tf, useBackend } from '../tfjs/onWasm.js';

export interface Operands {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly bias?: Float32Array;
}

export type Geometry = Pick<MatrixProduct, 'm' | 'n' | 'k' | 'transposeA' | 'transposeB' | 'relu'>;

/** In all products: fewer rows than any product by lists has, so what is computed in such steps is dense. */
const DENSE_ROWS = 8;

export class SparseRun {
  readonly host: Host;
  readonly #sumRows;

  private constructor(host: Host) {
    this.host = host;
    this.#sumRows = mock.method(host.microKernels, 'sumRows');
  }

  static async start(tile: TileName): Promise<SparseRun> {
    await useBackend('wasm');
    return new SparseRun(new Host(tf.backend() as unknown as WasmBackend, choosePlatform({ tile })));
  }

  /** Whether anything that `compute` did was done by lists. */
  usesLists(compute: () => void): boolean {
    this.#sumRows.mock.resetCalls();
    compute();
    return this.#sumRows.mock.callCount() > 0;
  }

  /** The product, and whether lists had a part in it. */
  product(geometry: Geometry, operands: Operands): { out: Float32Array; listed: boolean } {
    let out: Float32Array = new Float32Array();
    const listed = this.usesLists(() => {
      out = this.#multiply(geometry, operands);
    });
    return { out, listed };
  }

  /** The same sums a few rows at a time, for which no lists are made. */
  dense(geometry: Geometry, { a, ...others }: Operands): Float32Array {
    const { m, n, k, transposeA } = geometry;
    const out = new Float32Array(m * n);
    const listed = this.usesLists(() => {
      for (let row = 0; row < m; row += DENSE_ROWS) {
        const rows = Math.min(DENSE_ROWS, m - row);
        const part = transposeA ? columnsOf(a, k, row, rows) : a.slice(row * k, (row + rows) * k);
        out.set(this.#multiply({ ...geometry, m: rows }, { ...others, a: part }), row * n);
      }
    });
    if (listed) throw new Error('The dense product went by lists.');
    return out;
  }

  #multiply({ m, n, ...rest }: Geometry, operands: Operands): Float32Array {
    const { host } = this;
    const blocks: Address[] = [];
    const place = (values: Float32Array) => {
      const address = host.heap.allocate(values.byteLength);
      host.floats(address, values.length).set(values);
      blocks.push(address);
      return address;
    };
    const [a, b] = [place(operands.a), place(operands.b)];
    const bias = operands.bias ? place(operands.bias) : NONE;
    const out = place(new Float32Array(m * n).fill(-77));
    multiply(host, { ...rest, m, n, a, b, bias, out });
    const values = host.floats(out, m * n).slice();
    for (const block of blocks) host.heap.free(block);
    return values;
  }
}

/** [rows, columns] → [rows, count]. */
export function columnsOf(values: Float32Array, rows: number, first: number, count: number): Float32Array {
  const columns = values.length / rows;
  const part = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const start = row * columns + first;
    part.set(values.subarray(start, start + count), row * count);
  }
  return part;
}

/** Values of which about the share `density` is not zero. */
export function sparseValues(count: number, density: number, seed: number): Float32Array {
  const chances = sampleValues(count, seed + 1000);
  return sampleValues(count, seed).map((value, i) => (chances[i]! < 2 * density - 1 ? value : 0));
}
