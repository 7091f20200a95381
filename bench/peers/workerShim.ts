// A `Worker` of browsers made of Node's, as far as jax-js uses one: a script in a blob, messages both ways.

import { resolveObjectURL } from 'node:buffer';
import { Worker as Thread } from 'node:worker_threads';

/** What a script in a browser's worker finds. */
const GLOBALS = `
const { parentPort } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on('message', (data) => globalThis.onmessage({ data }));
`;

class ShimmedWorker {
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onerror: ((event: { message: string }) => void) | undefined;
  readonly #thread: Promise<Thread>;

  constructor(url: string) {
    this.#thread = this.#start(url);
  }

  postMessage(message: unknown): void {
    void this.#thread.then((thread) => thread.postMessage(message));
  }

  async #start(url: string): Promise<Thread> {
    const script = await resolveObjectURL(url)!.text();
    const thread = new Thread(GLOBALS + script, { eval: true });
    thread.on('message', (data) => this.onmessage?.({ data }));
    thread.on('error', ({ message }) => this.onerror?.({ message }));
    return thread;
  }
}

/** Gives the process a global `Worker`, and a `navigator` that reports so many cores. */
export function shimWorker(cores: number): void {
  Object.defineProperty(globalThis, 'Worker', { value: ShimmedWorker });
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: cores } });
}
