import { BarReporter } from './barReporter.js';
import { JsonReporter } from './jsonReporter.js';
import { LineReporter } from './lineReporter.js';
import type { Clock, ReportEvent, Reporter } from './reportEvent.js';
import type { OutputStream } from './style.js';

export type { Clock, ReportEvent, Reporter } from './reportEvent.js';

export interface ReporterOptions {
  /** Nothing but the report is to be written to it. */
  readonly stream: OutputStream;
  /** One JSON object a line, for machines. */
  readonly json?: boolean;
  /** Only warnings. */
  readonly quiet?: boolean;
  /** Default: performance.now. */
  readonly clock?: Clock;
}

/** JSON if asked for; else a progress bar on a terminal, and plain lines elsewhere. */
export function createReporter(options: ReporterOptions): Reporter {
  const reporter = createTalkativeReporter(options);
  return options.quiet === true ? onlyWarnings(reporter) : reporter;
}

function createTalkativeReporter({ stream, json, clock }: ReporterOptions): Reporter {
  const now = clock ?? (() => performance.now());
  if (json === true) return new JsonReporter(stream, now);
  return stream.isTTY === true ? new BarReporter(stream, now) : new LineReporter(stream, now);
}

/** What even a quiet run tells. */
const TOLD_ALWAYS: ReadonlySet<ReportEvent['kind']> = new Set([
  ...(['warning', 'recovered', 'healed', 'skipped'] as const),
]);

function onlyWarnings(reporter: Reporter): Reporter {
  return {
    report: (event) => {
      if (TOLD_ALWAYS.has(event.kind)) reporter.report(event);
    },
    stop: () => reporter.stop(),
  };
}
