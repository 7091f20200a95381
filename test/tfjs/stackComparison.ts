// Whether a stack computes the same on the backends `wasm` and `cpu`, within what rounding can do to it.

import * as tfl from '@tensorflow/tfjs-layers';
import { distance } from '../reference/conditioning.js';
import { withDrawnErrors } from './drawnErrors.js';
import { tf, useBackend } from './onWasm.js';
import type { Stack } from './stack.js';
import { type Trained, trainStack } from './stackRun.js';

/** As in test/reference/conditioning.ts, which derives both: draws, and the multiple of their spread. */
const DRAWS = 4;
const MULTIPLE = 10;

/** What became of a stack: it agrees, or a sentence says where it does not. */
export interface Comparison {
  /** It throws on this backend, for this reason. */
  readonly throws?: { readonly wasm?: string; readonly cpu?: string };
  /** The first tensor that differs. */
  readonly differs?: string;
}

type Attempt = { readonly trained: Trained } | { readonly message: string };

async function attempt(backend: 'wasm' | 'cpu', stack: Stack): Promise<Attempt> {
  await useBackend(backend);
  try {
    return { trained: await trainStack(tf, tfl, stack) };
  } catch (error) {
    return { message: (error as Error).message.split('\n')[0]! };
  }
}

/** Trains the stack on both backends, and again on `cpu` with drawn errors. */
export async function compared(stack: Stack): Promise<Comparison> {
  const wasm = await attempt('wasm', stack);
  const cpu = await attempt('cpu', stack);
  if ('message' in wasm || 'message' in cpu) {
    return {
      throws: {
        ...('message' in wasm ? { wasm: wasm.message } : {}),
        ...('message' in cpu ? { cpu: cpu.message } : {}),
      },
    };
  }
  const { names, values } = cpu.trained;
  const squares = values.map(() => 0);
  for (let draw = 1; draw <= DRAWS; draw++) {
    const drawn = await withDrawnErrors(tf, draw, () => trainStack(tf, tfl, stack));
    drawn.values.forEach((value, i) => {
      squares[i]! += distance(value, values[i]!) ** 2;
    });
  }
  for (const [i, value] of values.entries()) {
    const error = distance(wasm.trained.values[i]!, value);
    const bound = MULTIPLE * Math.sqrt(squares[i]! / DRAWS);
    // NaN fails.
    if (!(error <= bound)) return { differs: `${names[i]} differ by ${error}, bound ${bound}` };
  }
  return {};
}
