// Makes the bad calls on TensorFlow.js's own kernels, in a thread of its own: these may destroy its memory.

import { parentPort, workerData } from 'node:worker_threads';
import type { WasmBackend } from '#src/tfjs/tensorflow.js';
import { HeapGuards } from './heapGuards.js';
import { runCall } from './kernelRun.js';
import { tf, useBackend } from './onStock.js';
import { callsOf, type VariedCall } from './variedCalls.js';

/** Whether stock refuses each varied call of a kernel by a sentence, in the order of the calls. */
export interface Refusals {
  readonly kernel: string;
  readonly refused: readonly boolean[];
  /** Calls by which memory was written that is not the kernel's. */
  readonly damaging: readonly string[];
}

const factory = tf.findBackendFactory('wasm');

/** A trap leaves the memory as it was then: another backend takes its place. */
async function freshBackend(): Promise<HeapGuards> {
  // Its own destructor would trap, too.
  const old = tf.findBackend('wasm') as { dispose(): void } | null;
  if (old !== null) old.dispose = () => undefined;
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', factory);
  await useBackend('wasm');
  return new HeapGuards((tf.backend() as unknown as WasmBackend).wasm);
}

/** Stock may go on for ever with these: what is so large, or no number, is not tried there. */
const EXTREME = /Infinity|NaN|[0-9]{7}/;

let guards = await freshBackend();
for (const kernel of workerData as readonly string[]) {
  if (tf.getKernel(kernel, 'wasm') === undefined) continue;
  const refused: boolean[] = [];
  const damaging: string[] = [];
  // What stock does not check, and what has ended in a trap once, is not tried again.
  const unchecked = new Set<string>();
  for (const call of callsOf(kernel)) {
    const [argument = ''] = call.name.split(' = ');
    if (unchecked.has(argument) || EXTREME.test(call.name)) {
      refused.push(false);
      continue;
    }
    const { sentence, trapped } = attempt(kernel, call);
    refused.push(sentence);
    if (guards.takeDamage().length > 0 || trapped) damaging.push(call.name);
    if (trapped) {
      unchecked.add(argument);
      guards = await freshBackend();
    }
  }
  parentPort?.postMessage({ kernel, refused, damaging } satisfies Refusals);
}

function attempt(
  kernel: string,
  call: VariedCall,
): { readonly sentence: boolean; readonly trapped: boolean } {
  try {
    const outcome = runCall(tf, kernel, call);
    if (!('error' in outcome)) return { sentence: false, trapped: false };
    return { sentence: outcome.sentence, trapped: outcome.error.name === 'RuntimeError' };
  } catch {
    // Not even a tensor could be made.
    return { sentence: false, trapped: true };
  }
}
