import { Writable } from 'node:stream';
import type { ReportEvent } from '#src/report/progress.js';

/** Milliseconds, moved on by hand. */
export class TestClock {
  now = 5_000_000;
  readonly read = (): number => this.now;

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }
}

export class TestStream extends Writable {
  text = '';

  constructor(
    readonly isTTY: boolean,
    readonly columns = 80,
  ) {
    super({ decodeStrings: false });
  }

  readonly getColorDepth = (): number => 1;

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** Two epochs of 1,000 steps, with 32 examples each. */
export const started = {
  kind: 'started',
  directory: 'runs/cvae-1',
  config: { epochs: 2 },
  parameters: 63_745,
  workers: 2,
  processes: 1,
  stepsPerEpoch: 1000,
  endStep: 2000,
  step: 0,
  trainCount: 32_000,
  testCount: 10_000,
  memoryBytes: 200 * 2 ** 20,
} as const satisfies ReportEvent;

export const startedLines = [
  'Size         63,745 parameters; 32,000 training and 10,000 test images',
  'Plan         2 epochs of 1,000 steps',
  'Workers      2, with 200 MiB of shared memory',
  'Training in runs/cvae-1',
];

/** After `step` steps at 100 a second, 3,200 images a second. */
export function progress(step: number, elbo = -180): ReportEvent & { kind: 'progress' } {
  const epoch = Math.ceil(step / 1000);
  const batch = { elbo, logLikelihood: elbo + 5, kl: 5 };
  return { kind: 'progress', epoch, step, examples: step * 32, seconds: step / 100, batch };
}

export function epochDone(epoch: number): ReportEvent & { kind: 'epoch' } {
  return {
    kind: 'epoch',
    epoch,
    step: epoch * 1000,
    train: { elbo: -171.25, logLikelihood: -166, kl: 5.25 },
    test: { elbo: -170.5, logLikelihood: -165.375, kl: 5.125 },
    seconds: 10,
    imagesPerSecond: 3200,
  };
}
