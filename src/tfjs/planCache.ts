import { type Address, NONE } from '../kernels/address.js';
import { Arena } from '../kernels/arena.js';
import type { Heap } from './heap.js';

/** Plans and bytes of tables beyond which the least recently used ones are dropped. */
const MOST_PLANS = 512;
const MOST_BYTES = 32 * 2 ** 20;

interface Entry {
  readonly plan: unknown;
  /** Block of the heap with the plan's tables, 0 for none. */
  readonly block: Address;
  readonly bytes: number;
}

/**
 * What was worked out for a geometry, with the tables that kernels read, in the backend's heap. Bounded:
 * least recently used plans are dropped.
 */
export class PlanCache {
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(readonly heap: Heap) {}

  /**
   * The plan of this key. `make` is called twice where it is new: first at address 0 to learn how much it
   * places, so it must do nothing but place tables and compute.
   * @param key the kernel's name and everything the plan depends on.
   */
  get<Plan>(key: string, make: (arena: Arena) => Plan): Plan {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      // One kernel makes all plans under its name.
      return known.plan as Plan;
    }
    const { heap } = this;
    const dry = new Arena(0);
    const tableless = make(dry);
    const entry: Entry = { plan: tableless, block: NONE, bytes: dry.end };
    if (dry.end > 0) {
      const block = heap.allocate(dry.end);
      const arena = new Arena(block);
      Object.assign(entry, { plan: make(arena), block });
      arena.materialize(heap.memory.buffer);
    }
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    this.#shrink();
    return entry.plan as Plan;
  }

  /** The newest plan stays, whatever its size. */
  #shrink(): void {
    for (const [key, { block, bytes }] of this.#entries) {
      if (this.#entries.size === 1 || (this.#entries.size <= MOST_PLANS && this.#bytes <= MOST_BYTES)) return;
      this.#entries.delete(key);
      this.#bytes -= bytes;
      if (block !== 0) this.heap.free(block);
    }
  }
}
