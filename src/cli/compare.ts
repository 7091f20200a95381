import { UsageError } from '../errors.js';
import type { EstimatorComparison } from '../inference/estimatorComparison.js';
import { choiceOf } from '../runs/seams.js';
import { defineCommand } from './command.js';
import { comparisonProgress } from './evaluationProgress.js';
import { ExitCode } from './exitCode.js';
import { quote, type ValueFlag, wholeNumber } from './flags.js';
import { optionFlag } from './optionFlags.js';
import { printJson, printPage } from './output.js';
import { dataFlag, outputFlags, runArgument } from './sharedFlags.js';

const EXAMPLES = 20;
const DRAWS = 100;

export const compareCommand = defineCommand({
  name: 'compare',
  summary: "Measure bias and variance of the estimators of the encoder's gradient, at a run's parameters",
  positionals: { what: onlyEstimators(), ...runArgument },
  flags: {
    data: dataFlag('the gradient is that of images of its test set'),
    objective: optionFlag('objective', { default: "the run's" }),
    samples: optionFlag('samples', { default: "the run's" }),
    examples: wholeNumber(1, {
      most: 10_000,
      describe: 'The first so many test images, of whose mean loss the gradient is',
      default: String(EXAMPLES),
    }),
    draws: wholeNumber(2, {
      most: 1_000_000,
      describe: 'Gradients of each estimator, of different noise',
      default: String(DRAWS),
    }),
    seed: optionFlag('seed', { describe: 'Seed of the noise: unsigned, 64 bits', default: "the run's" }),
    ...outputFlags,
  },
  examples: [
    ['lowerbound compare estimators runs/cvae-1', "By the run's own objective"],
    [
      'lowerbound compare estimators runs/cvae-1 --objective iwae --samples 5 --draws 1000',
      'For the importance-weighted bound of five draws, with more certainty',
    ],
  ],
  async execute({ run, json, data, objective, samples, examples = EXAMPLES, draws = DRAWS, seed }) {
    const [{ loadForTestSet }, { testExamples }, { compareEstimators }] = await Promise.all([
      import('./runData.js'),
      import('../coordinator/examples.js'),
      import('../inference/estimatorComparison.js'),
    ]);
    const { loaded, dataset } = await loadForTestSet(run, data);
    const { config } = loaded;
    const count = Math.min(examples, dataset.test.count);
    const protocol = {
      data: dataset.name,
      examples: count,
      binarize: config.binarize,
      objective: objective ?? choiceOf(config, 'objective').name,
      samples: samples ?? config.samples,
      draws,
      seed: String(seed ?? config.seed),
    };
    const indices = Array.from({ length: count }, (_, index) => index);
    const progress = comparisonProgress({ json: json === true });
    let comparison: EstimatorComparison;
    try {
      comparison = compareEstimators({
        ...{ model: loaded.model, x: testExamples(config, dataset.test, indices), draws },
        ...{ objective: protocol.objective, samples: protocol.samples, seed: BigInt(protocol.seed) },
        onProgress: progress.update,
      });
    } finally {
      progress.end();
    }
    const { path: checkpoint, step, parametersSha256 } = loaded;
    if (json) printJson({ ...comparison, protocol, checkpoint, step, parametersSha256 });
    else {
      printPage(
        [
          ...table(comparison),
          '',
          "Of the encoder's whole gradient: the variance in nats², ratios to the first row, the squared bias as a share " +
            'of the squared gradient, ± its standard error.',
          '',
          `Protocol       ${protocol.data}, ${count} test images, binarise ${protocol.binarize}, objective ` +
            `${protocol.objective}, K\u00a0=\u00a0${protocol.samples}, ${draws} draws, seed ${protocol.seed}`,
          `Checkpoint     ${checkpoint}, step ${step}`,
          `SHA-256        ${parametersSha256}`,
        ].join('\n'),
      );
    }
    return ExitCode.done;
  },
});

/** Variances as multiples of the first row's; squared biases as shares of the squared gradient. */
function table({ figures, squaredNorm }: EstimatorComparison): string[] {
  const [usual] = figures;
  const rows = figures.map(({ estimator, variance, squaredBias }) => {
    const bias =
      squaredBias === undefined
        ? '0 by definition'
        : `${(squaredBias.value / squaredNorm).toExponential(1)} ± ${(squaredBias.standardError / squaredNorm).toExponential(1)}`;
    return [estimator, variance.toPrecision(3), (variance / usual!.variance).toPrecision(3), bias];
  });
  const all = [['Estimator', 'variance', 'ratio', 'bias²'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
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
