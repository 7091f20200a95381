import { Bench } from 'tinybench';
import { caseName, type KernelCase, type PreparedCase } from './kernelCase.js';
import { defaultPlatform } from './machine.js';
import { CopyProbe, PeakProbe } from './peak.js';
import { kernelCases } from './registry.js';
import { oneDecimal, percent, type Row, type Section, type Table, twoDecimals, whole } from './section.js';
import { Workbench } from './workbench.js';

/** V8 optimises a function in the background after some calls. */
const WARM_CALLS = 200;
const WARM_TIME = 30;
/** Milliseconds of one case. */
const TIME = 120;
/** A sample is as many calls as last this long, milliseconds, so that the clock does not count. */
const SAMPLE = 0.1;

export const kernelSection: Section = {
  name: 'kernels',
  async run({ say, model: wanted }) {
    const platform = defaultPlatform();
    const { module, tile, arithmetic, revectorized } = platform;
    const bench = new Workbench({ module, tile });
    const peak = new PeakProbe(platform);
    const copies = new CopyProbe(module);
    const width = revectorized ? 256 : 128;
    say(
      `kernels: ${arithmetic}, tile ${tile}, ${width}-bit; copies ${oneDecimal(copies.memoryBandwidth)} GB/s`,
    );
    const operations: Row[] = [];
    const bytes: Row[] = [];
    for (const kernelCase of kernelCases()) {
      if (kernelCase.model !== (wanted ?? kernelCase.model)) continue;
      bench.clear();
      const probed = peak.measure();
      const microseconds = 1000 * timeCase(bench, kernelCase);
      // Whatever else runs on the core can only slow a probe down.
      const limit = Math.max(probed, peak.measure());
      const { kernel, model, shape, work } = kernelCase;
      const rate = work.amount / microseconds / 1000;
      const row = { kernel, model, shape, microseconds, rate };
      if (work.unit === 'operations') operations.push({ ...row, limit, share: rate / limit });
      else {
        const limit = copies.bandwidth(work.amount);
        bytes.push({ ...row, limit, share: rate / limit });
      }
    }
    return [
      kernelTable('kernels: operations', 'GFLOP/s', 'probed', 'of peak', operations),
      kernelTable('kernels: bytes', 'GB/s', 'copy', 'of copy', bytes),
    ];
  },
};

/** Milliseconds of one run, the median: verified before and after. */
function timeCase(bench: Workbench, kernelCase: KernelCase): number {
  const prepared = kernelCase.prepare(bench);
  verify(prepared);
  prepared.steady?.();
  const start = performance.now();
  let calls = 0;
  while (calls < WARM_CALLS || performance.now() - start < WARM_TIME) {
    prepared.run();
    calls++;
    if (performance.now() - start > 10 * TIME) break;
  }
  const before = performance.now();
  for (let i = 0; i < 10; i++) prepared.run();
  const batch = Math.max(1, Math.round((10 * SAMPLE) / (performance.now() - before)));
  const result = timeBatches(prepared, batch, caseName(kernelCase));
  // V8 may have replaced the code meanwhile.
  verify(prepared);
  return result / batch;
}

function timeBatches(prepared: PreparedCase, batch: number, name: string): number {
  const { run } = prepared;
  const timer = new Bench({ time: TIME, iterations: 5, warmup: false, throws: true });
  timer.add(
    name,
    () => {
      for (let i = 0; i < batch; i++) run();
    },
    { async: false },
  );
  const [task] = timer.runSync();
  if (task?.result.state !== 'completed') throw new Error(`${name} was not timed.`);
  return task.result.latency.p50;
}

function verify(prepared: PreparedCase): void {
  prepared.reset();
  prepared.run();
  prepared.check();
}

function kernelTable(title: string, rate: string, limit: string, share: string, rows: readonly Row[]): Table {
  return {
    title,
    columns: [
      { key: 'kernel', heading: 'kernel' },
      { key: 'model', heading: 'model' },
      { key: 'shape', heading: 'shape' },
      { key: 'microseconds', heading: 'µs', format: twoDecimals },
      { key: 'rate', heading: rate, format: oneDecimal },
      { key: 'limit', heading: limit, format: whole },
      { key: 'share', heading: share, format: percent },
    ],
    identity: ['kernel', 'model', 'shape'],
    measure: { key: 'rate', better: 'higher' },
    rows,
  };
}
