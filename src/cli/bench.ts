import { availableParallelism, cpus } from 'node:os';
import { DEFAULT_BACKEND } from '../backends/backend.js';
import type { BenchmarkResult } from '../coordinator/benchmark.js';
import type { MeasuredVariant } from '../coordinator/measuredVariant.js';
import { POSITIVE } from '../model/hyperparameter.js';
import { runtime } from '../runtime.js';
import { defineCommand, given } from './command.js';
import { ExitCode } from './exitCode.js';
import { inGroup, numberIn } from './flags.js';
import { programWords } from './nextCommands.js';
import { optionFlag } from './optionFlags.js';
import { printJson, printLine, printPage } from './output.js';
import { outputFlags } from './sharedFlags.js';
import { shellWord } from './shellWord.js';

/** Spread of rounds that other programs did not disturb, at most. */
const QUIET = 0.2;

export const benchCommand = defineCommand({
  name: 'bench',
  summary: 'Time training on this machine: which workers, arithmetic and vector width serve it best',
  positionals: {},
  flags: {
    ...inGroup('Model and data:', {
      model: optionFlag('model', {}),
      'batch-size': optionFlag('batchSize', {}),
      data: optionFlag('data', {}),
    }),
    ...inGroup('Measurement:', {
      seconds: numberIn(POSITIVE, {
        describe: 'About how long to warm up and measure, beside a few seconds for the start',
        default: '25',
      }),
    }),
    ...outputFlags,
  },
  examples: [
    ['lowerbound bench', 'The convolutional VAE at batches of 32'],
    ['lowerbound bench --model mlp --batch-size 256', 'Another model, other batches'],
    ['lowerbound bench --json', 'For machines'],
  ],
  async execute({ model, 'batch-size': batchSize, data, seconds, json }) {
    const [{ benchmark }, { formatCount, formatDuration, formatRate }, { StageReporter }] = await Promise.all(
      [
        import('../coordinator/benchmark.js'),
        import('../report/quantity.js'),
        import('../report/stageReporter.js'),
      ],
    );
    const reporter = new StageReporter({ stream: process.stdout });
    const result = await benchmark(
      given({
        model,
        batchSize,
        data,
        seconds,
        onStart: json
          ? undefined
          : (load: { model: string; batchSize: number; data: string }, variants: number) => {
              printPage(machineLine());
              printPage(
                `Model ${load.model} on ${load.data}, batches of ${load.batchSize}: ` +
                  `${formatCount(variants)} ways to train, whose parameters agree.`,
              );
              reporter.begin('Measuring');
            },
        onProgress: json ? undefined : (done: number, count: number) => reporter.advance(done, count),
      }),
    ).finally(() => reporter.stop());
    const command = result.recommended && trainCommandLine(result, result.recommended, { model, data });
    if (json) {
      const machine = {
        runtime: runtime(),
        node: process.version,
        cpu: cpuName(),
        cores: availableParallelism(),
      };
      printJson({ ...machine, ...result, recommended: result.recommended ?? null, command: command ?? null });
      return ExitCode.done;
    }
    printLine('');
    const fastest = result.variants[0]!;
    const rows = result.variants.map((variant) => [
      String(variant.workers),
      variant.backend,
      variant.arithmetic,
      widthText(variant),
      variant.tile,
      formatRate(variant.imagesPerSecond),
      formatDuration(variant.epochSeconds),
      percentText(variant.imagesPerSecond / fastest.imagesPerSecond),
      percentText(variant.spread),
    ]);
    printLine(
      table([
        ['Workers', 'Backend', 'Arithmetic', 'Vectors', 'Tile', 'Images/s', 'Epoch', 'Of best', 'Spread'],
        ...rows,
      ]),
    );
    printLine('');
    if (command === undefined) printPage(undecidedText(result));
    else printLine(`Use: ${command}`);
    printPage(backendsLine(result));
    const note = portableNote(result);
    if (note !== undefined) printPage(note);
    if (command !== undefined && disturbed(result)) {
      printPage(
        'The rounds of this measurement differ much (Spread): other programs were at work. Repeat it on a quiet machine.',
      );
    }
    return ExitCode.done;
  },
});

/** The recommended variant, with every flag that it needs spelt out. */
export function trainCommandLine(
  { batchSize }: Pick<BenchmarkResult, 'batchSize'>,
  recommended: MeasuredVariant,
  { model = 'cvae', data }: { readonly model?: string | undefined; readonly data?: string | undefined },
): string {
  const words = ['train', '--model', model, '--batch-size', String(batchSize)];
  if (data !== undefined) words.push('--data', data);
  words.push('--workers', String(recommended.workers), '--arithmetic', recommended.arithmetic);
  words.push(recommended.revectorized ? '--revectorize' : '--no-revectorize');
  return [programWords(), ...words.map(shellWord)].join(' ');
}

/** Why there is no recommendation, and what to do. */
export function undecidedText({ undecided }: Pick<BenchmarkResult, 'undecided'>): string {
  const [fastest] = undecided;
  const least = undecided.at(-1)!;
  const distance = 1 - least.imagesPerSecond / fastest!.imagesPerSecond;
  const spread = Math.max(...undecided.map((variant) => variant.spread));
  return (
    `No recommendation: ${undecided.length} rows of simd are at most ${percentText(distance)} apart, but the rounds of a ` +
    `row differ by up to ${percentText(spread)} (Spread), so another measurement could turn them round. Measure again, ` +
    'longer (--seconds 120) and on a machine that does nothing else. Until then use train without --workers, ' +
    '--arithmetic and --revectorize: its defaults suit most machines.'
  );
}

function backendsLine({ variants }: BenchmarkResult): string {
  const installed = [...new Set(variants.map(({ backend }) => backend))].filter(
    (name) => name !== DEFAULT_BACKEND,
  );
  const others =
    installed.length === 0 ? 'none of TensorFlow.js is installed' : `${installed.join(' and ')}, too`;
  return `Backends measured: simd, which is this package's; ${others} (docs/backends.md).`;
}

/** What bits that are the same everywhere would cost. */
function portableNote({ variants, recommended }: BenchmarkResult): string | undefined {
  if (recommended === undefined || recommended.arithmetic === 'portable') return undefined;
  const portable = variants.find((v) => v.backend === DEFAULT_BACKEND && v.arithmetic === 'portable')!;
  const slower = 100 * (1 - portable.imagesPerSecond / recommended.imagesPerSecond);
  const cost = slower >= 1 ? `${slower.toFixed(0)} % slower here` : 'as fast here';
  return `With --arithmetic portable, ${cost}, parameters have the same bits on every machine; with fused, on those that fuse.`;
}

/** Whether most variants differ between rounds by more than they should. */
function disturbed({ variants }: BenchmarkResult): boolean {
  return variants.filter(({ spread }) => spread > QUIET).length > variants.length / 2;
}

function percentText(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function widthText({ revectorized }: MeasuredVariant): string {
  return revectorized ? '256-bit' : '128-bit';
}

function machineLine(): string {
  return `${cpuName()}, ${availableParallelism()} cores, ${runtime()}`;
}

function cpuName(): string {
  return cpus()[0]?.model.trim() || 'unknown CPU';
}

/** Columns as wide as their widest cell; the words to the left, the rest to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const words = [1, 2, 3, 4];
  return rows
    .map((row) =>
      row
        .map((cell, i) => (words.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  '),
    )
    .join('\n');
}
