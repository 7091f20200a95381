import { SingleBar } from 'cli-progress';

/** A bar on standard error where that is a terminal; otherwise nothing. */
export function evaluationProgress(): {
  readonly update: (done: number, count: number) => void;
  readonly end: () => void;
} {
  const bar = new SingleBar({
    stream: process.stderr,
    format: 'evaluating {bar} {value} of {total} images',
    clearOnComplete: true,
    // A killed evaluation leaves the terminal as it was.
    hideCursor: false,
    linewrap: true,
  });
  return {
    update: (done, count) => {
      if (!process.stderr.isTTY) return;
      if (bar.isActive) bar.update(done);
      else bar.start(count, done);
    },
    end: () => bar.stop(),
  };
}
