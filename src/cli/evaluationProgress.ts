import { StageReporter } from '../report/stageReporter.js';

/**
 * On standard error: a bar on a terminal, elsewhere a line every few seconds, or nothing for machines
 * (`json`). The figures have standard output to themselves.
 */
export function evaluationProgress({ json }: { readonly json: boolean }): {
  readonly update: (done: number, count: number) => void;
  readonly end: () => void;
} {
  const reporter = new StageReporter({ stream: process.stderr });
  reporter.beginQuietly('Evaluating the test images');
  return {
    update: (done, count) => {
      if (!json || process.stderr.isTTY) reporter.advance(done, count);
    },
    end: () => reporter.stop(),
  };
}
