import type { ComparedEstimators } from '../coordinator/compareEstimators.js';
import type { EstimatorRow } from '../coordinator/estimatorPicture.js';
import { UsageError } from '../errors.js';
import { printable } from '../printable.js';
import { defineCommand, given } from './command.js';
import { comparisonProgress } from './evaluationProgress.js';
import { ExitCode } from './exitCode.js';
import { exampleRange, quote, type ValueFlag, wholeNumber } from './flags.js';
import { untilInterrupted } from './interruption.js';
import { optionFlag } from './optionFlags.js';
import { printJson, printPage, printWarnings } from './output.js';
import { outFlag, writePicture } from './pictureFile.js';
import { checkpointLines, choiceWords } from './protocolWords.js';
import { dataFlag, emaFlag, outputFlags, runArgument } from './sharedFlags.js';

export const compareCommand = defineCommand({
  name: 'compare',
  summary: "Measure bias and variance of the estimators of the encoder's gradient, at a run's parameters",
  positionals: { what: onlyEstimators(), ...runArgument },
  flags: {
    data: dataFlag('the gradient is that of images of its test set'),
    objective: optionFlag('objective', { default: "the run's" }),
    samples: optionFlag('samples', { default: "the run's" }),
    beta: optionFlag('beta', { default: "the run's" }),
    examples: exampleRange({
      describe: 'Test images FIRST:END, counted from 0, without END: the gradient is that of their mean loss',
      default: '0:20',
    }),
    draws: wholeNumber(3, {
      most: 1_000_000,
      describe: 'Gradients of each estimator, of different noise',
      default: '100',
    }),
    seed: optionFlag('seed', {
      describe: 'Seed of the noise and of drawn pixels: unsigned, 64 bits',
      default: "the run's",
    }),
    workers: optionFlag('workers', { default: 'all cores, at most 20' }),
    out: outFlag('estimators'),
    ...emaFlag,
    ...outputFlags,
  },
  examples: [
    ['lowerbound compare estimators runs/cvae-1', "By the run's own objective"],
    [
      'lowerbound compare estimators runs/cvae-1 --objective iwae --samples 5 --draws 1000',
      'For the importance-weighted bound of five draws, with more certainty',
    ],
  ],
  async execute({ run, json, data, out, ema, ...options }) {
    const [{ loadForTestSet }, { compareOnTestSet }, { estimatorPicture, estimatorRows }] = await Promise.all(
      [
        import('./runData.js'),
        import('../coordinator/compareEstimators.js'),
        import('../coordinator/estimatorPicture.js'),
      ],
    );
    const { loaded, dataset } = await loadForTestSet(run, data, ema);
    const { objective, samples, beta, examples, draws, seed, workers } = options;
    const progress = comparisonProgress({ json: json === true });
    const { result: compared, exitCode } = await untilInterrupted(progress, (signal) =>
      compareOnTestSet(loaded, dataset, {
        ...given({ objective, samples, beta, examples, draws, seed, workers }),
        onProgress: progress.update,
        signal,
      }),
    );
    if (compared.figures.length > 0) {
      const { warnings: _told, ...figures } = compared;
      if (json) printJson(figures);
      else printPage([...table(estimatorRows(compared)), '', ...protocolLines(compared)].join('\n'));
      const png = await estimatorPicture(compared, loaded);
      await writePicture(png, { run, loaded, name: 'estimators', out, json });
    }
    if (!compared.interrupted) return ExitCode.done;
    printWarnings([stoppedWords(compared)]);
    return exitCode;
  },
});

/** A line for each estimator. */
function table(rows: readonly EstimatorRow[]): string[] {
  const cells = [
    ['Estimator', 'variance', 'ratio', 'bias²'],
    ...rows.map(({ name, variance, ratio, squaredBias }) => [name, variance, ratio, squaredBias]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}

function protocolLines(compared: ComparedEstimators): string[] {
  const { protocol } = compared;
  const { data, examples, binarize, likelihood, objective, samples, beta, draws, seed } = protocol;
  return [
    "The columns are the variance of the encoder's whole gradient in nats², its ratio to the first row's, and the squared " +
      'bias, measured against the first row, as a share of the squared gradient ± its standard error.',
    '',
    `Protocol       ${printable(data)}, test images ${examples.first}:${examples.end}, binarise ${binarize}, ` +
      `likelihood ${choiceWords(likelihood)}, objective ${objective}, K\u00a0=\u00a0${samples}, beta ${beta}, ` +
      `${draws} draws, seed ${seed}`,
    ...checkpointLines(compared),
  ];
}

function stoppedWords({ figures, protocol: { draws } }: ComparedEstimators): string {
  const done = `Stopped: ${draws} ${draws === 1 ? 'draw is' : 'draws are'} done`;
  return figures.length > 0 ? `${done}, and the figures are of these.` : `${done}, too few for figures.`;
}

/** What is compared: so far estimators alone. */
function onlyEstimators(): ValueFlag<string> {
  return {
    kind: 'value',
    describe: 'What is compared: estimators',
    words: ['estimators'],
    default: 'none: it must be given',
    parse: (given, name) => {
      if (given === 'estimators') return given;
      throw new UsageError(`${name} takes estimators, not ${quote(given)}: nothing else can be compared.`);
    },
  };
}
