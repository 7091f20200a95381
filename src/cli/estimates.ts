// The part of `lowerbound evaluate` that estimates each example: importance-weighted bounds, AIS, BDMC, gaps.
import type {
  EstimateLikelihoodOptions,
  EstimateRow,
  LikelihoodEstimates,
} from '../coordinator/estimateLikelihood.js';
import type { ExampleRange } from '../coordinator/exampleRange.js';
import type { ProcessOptions } from '../coordinator/processOptions.js';
import { UsageError } from '../errors.js';
import { printable } from '../printable.js';
import { given } from './command.js';
import { ExitCode } from './exitCode.js';
import {
  choice,
  exampleRange,
  type FlagValues,
  indexList,
  switchFlag,
  textLike,
  wholeNumber,
} from './flags.js';
import { untilInterrupted } from './interruption.js';
import { printError, printJson, printPage, printWarnings } from './output.js';
import { checkpointLines, choiceWords } from './protocolWords.js';

export const estimateFlags = {
  importance: indexList({
    describe: 'Importance-weighted bounds for these numbers of draws, separated by commas, such as 1,50,5000',
    default: 'none',
  }),
  ais: switchFlag({ describe: 'log p(x) by annealed importance sampling', default: 'off' }),
  bdmc: switchFlag({
    describe: 'Bracket log p(x) from both sides, on as many images drawn from the model',
    default: 'off',
  }),
  gaps: switchFlag({ describe: 'Optimise q(z|x) for each image: the gaps of inference', default: 'off' }),
  chains: wholeNumber(1, { most: 1000, describe: 'Chains of an image in AIS and BDMC', default: '16' }),
  temperatures: wholeNumber(1, { describe: 'Temperatures of AIS and BDMC', default: '1000' }),
  'temperature-schedule': choice(
    { sigmoidal: 'sigmoidal', linear: 'linear' },
    { describe: 'How the temperatures rise', default: 'sigmoidal' },
  ),
  'leapfrog-steps': wholeNumber(1, { describe: 'Leapfrog steps of a transition', default: '10' }),
  'gap-steps': wholeNumber(1, { describe: 'Steps of the optimisation of q(z|x)', default: '500' }),
  examples: exampleRange({
    describe: 'Test images FIRST:END, counted from 0, without END',
    default: 'all',
  }),
  'per-example': textLike(/[^/\\]\.(npy|jsonl)$/i, 'the path of a file that ends in .npy or .jsonl', {
    describe: 'Write the figures of each image to this file: NumPy (float64) or JSON lines',
    default: 'none',
  }),
};

type EstimateFlags = FlagValues<typeof estimateFlags>;

/** Whether the figures of each example are asked for. */
export function wantsEstimates(flags: EstimateFlags): boolean {
  const { importance, ais, bdmc, gaps, examples } = flags;
  const asked = importance !== undefined || examples !== undefined || flags['per-example'] !== undefined;
  return asked || [ais, bdmc, gaps].includes(true);
}

/** @throws UsageError for an option of an estimate that is not asked for. */
export function requireEstimate(flags: EstimateFlags): void {
  for (const name of ['chains', 'temperatures', 'temperature-schedule', 'leapfrog-steps'] as const) {
    if (flags[name] !== undefined && flags.ais !== true && flags.bdmc !== true) {
      throw new UsageError(`--${name} belongs to --ais and --bdmc: add one of them, or leave --${name} out.`);
    }
  }
  if (flags['gap-steps'] !== undefined && flags.gaps !== true) {
    throw new UsageError('--gap-steps belongs to --gaps: add it, or leave --gap-steps out.');
  }
}

/** @throws UsageError for a flag that the estimates do not have. */
export function requireNoOther(flags: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    throw new UsageError(
      `--${name} belongs to the evaluation of the whole test set: leave it out, or the estimates of each example.`,
    );
  }
}

interface Request
  extends EstimateFlags,
    Pick<EstimateLikelihoodOptions, 'data' | 'ema' | 'samples' | 'binarize' | 'seed' | 'workers'> {
  readonly run: string;
  readonly json: boolean;
  readonly processes: ProcessOptions;
}

/** Estimates, prints, writes the file; an interruption keeps the examples that are done. */
export async function printEstimates(request: Request): Promise<number> {
  requireEstimate(request);
  const { run, json, importance, ais, bdmc, gaps, examples, chains, temperatures } = request;
  if (importance?.includes(0)) {
    throw new UsageError('--importance takes numbers of draws from 1 up, but one of them is 0.');
  }
  const [{ estimateLikelihood }, { evaluationProgress }, { hasLeader }] = await Promise.all([
    import('../coordinator/estimateLikelihood.js'),
    import('./evaluationProgress.js'),
    import('../coordinator/launched.js'),
  ]);
  const data = typeof request.data === 'string' ? request.data : undefined;
  // Where several processes work together, the first one speaks.
  const isSilent = hasLeader(request.processes);
  const progress = evaluationProgress({ json, isSilent });
  const { result: found, exitCode } = await untilInterrupted(progress, (signal) =>
    estimateLikelihood({
      path: run,
      ...given({ data, importance, ais, bdmc, gaps, examples, chains, temperatures }),
      ...given({
        ema: request.ema,
        samples: request.samples,
        binarize: request.binarize,
        seed: request.seed,
      }),
      ...given({ temperatureSchedule: request['temperature-schedule'], workers: request.workers }),
      ...given({ leapfrogSteps: request['leapfrog-steps'], gapSteps: request['gap-steps'] }),
      ...request.processes,
      onProgress: progress.update,
      signal,
    }),
  );
  if (isSilent) return found.interrupted ? exitCode : ExitCode.done;
  printWarnings(found.warnings);
  const { first, end } = found.protocol.examples;
  if (end > first) {
    const { perExample: _own, perSimulated: _drawn, warnings: _told, ...figures } = found;
    if (json) printJson(figures);
    else printPage(page(found));
    const file = request['per-example'];
    if (file !== undefined) await writeExamples(file, found);
  }
  if (!found.interrupted) return ExitCode.done;
  const rest = `${end}:${found.protocol.asked.end}`;
  printWarnings([
    `Stopped: ${end - first} images are done. Go on with --examples ${rest}, and another file.`,
  ]);
  return exitCode;
}

const TITLES: Readonly<Record<string, string>> = {
  'elbo.elbo': 'ELBO',
  'elbo.logLikelihood': 'Reconstruction',
  'ais.logMarginal': 'log p(x) by AIS',
  variationalGap: 'Variational gap',
  'gaps.optimizedElbo': 'ELBO, q optimised',
  'gaps.amortizationGap': 'Amortisation gap',
  approximationGap: 'Approximation gap',
  'bdmc.lower': 'BDMC, from below',
  'bdmc.upper': 'BDMC, from above',
  bracketWidth: 'Width of bracket',
};

function page(found: LikelihoodEstimates): string {
  const { test, simulated, kl, activeUnits, protocol } = found;
  const { first, end } = protocol.examples;
  return [
    `Protocol       ${printable(protocol.data)}, test images ${first}:${end}, binarise ${protocol.binarize}, ` +
      `likelihood ${choiceWords(protocol.likelihood)}, ${priorWords(protocol)}seed ${protocol.seed}`,
    ...checkpointLines(found),
    '',
    'Test images: mean ± standard error, nats',
    ...test.map(line),
    `Active units   ${activeUnits} of ${kl.length}`,
    `KL by dimension${protocol.prior === undefined ? '' : ' to N(0, 1)'} ${kl.map((value) => value.toFixed(2)).join(' ')}`,
    ...(simulated.length === 0
      ? []
      : [
          '',
          `${end - first} images drawn from the model: mean ± standard error, nats`,
          ...simulated.map(line),
        ]),
  ].join('\n');
}

function priorWords({ prior }: LikelihoodEstimates['protocol']): string {
  return prior === undefined ? '' : `prior ${choiceWords(prior)}, `;
}

function line({ name, mean, standardError, protocol }: EstimateRow): string {
  const title = TITLES[name] ?? name.replace('importance.', 'IWAE ');
  const error = Number.isFinite(standardError) ? `± ${standardError.toFixed(2)}` : '';
  return `${title.padEnd(18)}${mean.toFixed(2).padStart(9)} ${error.padEnd(8)} ${protocol}`;
}

/** Images drawn from the model have a file of their own: its name ends in -simulated. */
async function writeExamples(file: string, found: LikelihoodEstimates): Promise<void> {
  const { perExample, perSimulated, protocol } = found;
  await writeFigures(file, perExample, protocol.examples);
  if (Object.keys(perSimulated).length === 0) return;
  await writeFigures(file.replace(/\.[^.]+$/, '-simulated$&'), perSimulated, protocol.examples);
}

async function writeFigures(
  file: string,
  figures: LikelihoodEstimates['perExample'],
  { first, end }: ExampleRange,
): Promise<void> {
  const [{ writeFileAtomic }, { encodeNpy }, { exampleLines, exampleTable }] = await Promise.all([
    import('../runs/atomicFile.js'),
    import('../runs/npy.js'),
    import('../report/exampleFigures.js'),
  ]);
  const count = end - first;
  if (/\.jsonl$/i.test(file)) {
    await writeFileAtomic(file, Buffer.from(exampleLines(figures, first, count)));
    return;
  }
  const { columns, values } = exampleTable(figures, count);
  await writeFileAtomic(file, encodeNpy(values, [count, columns.length]));
  printError(`${file} has the columns ${columns.join(', ')}`);
}
