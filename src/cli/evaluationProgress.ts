import { StageReporter } from '../report/stageReporter.js';

/**
 * On standard error: a bar on a terminal, elsewhere a line every few seconds, or nothing for machines
 * (`json`). The figures have standard output to themselves.
 */
export function evaluationProgress(options: ProgressOptions): Progress {
  return workProgress('Evaluating the test images', options);
}

/** The same for a replay. */
export function verificationProgress(options: ProgressOptions): Progress {
  return workProgress('Replaying steps', options);
}

/** The same for gradients by several estimators. */
export function comparisonProgress(options: ProgressOptions): Progress {
  return workProgress('Estimating gradients', options);
}

/** The same for posterior samples. */
export function samplingProgress(options: ProgressOptions): Progress {
  return workProgress('Sampling posteriors', options);
}

interface ProgressOptions {
  readonly json: boolean;
  /** Whether another process shows the progress; default: none does. */
  readonly isSilent?: boolean;
}

interface Progress {
  readonly update: (done: number, count: number) => void;
  readonly end: () => void;
}

function workProgress(work: string, { json, isSilent = false }: ProgressOptions): Progress {
  if (isSilent) return { update: () => {}, end: () => {} };
  const reporter = new StageReporter({ stream: process.stderr });
  reporter.beginQuietly(work);
  return {
    update: (done, count) => {
      if (!json || process.stderr.isTTY) reporter.advance(done, count);
    },
    end: () => reporter.stop(),
  };
}
