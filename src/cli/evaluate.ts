import type { Evaluation } from '../coordinator/evaluate.js';
import { printable } from '../printable.js';
import { fieldWords } from '../runs/hyperparameters.js';
import { SEAMS } from '../runs/seams.js';
import { defineCommand, given } from './command.js';
import {
  estimateFlags,
  printEstimates,
  requireEstimate,
  requireNoOther,
  wantsEstimates,
} from './estimates.js';
import { ExitCode } from './exitCode.js';
import { inGroup } from './flags.js';
import { optionFlag } from './optionFlags.js';
import { printJson, printPage, printWarnings } from './output.js';
import { checkpointLines, choiceWords } from './protocolWords.js';
import { dataFlag, emaFlag, outputFlags, processFlags, processValues, runArgument } from './sharedFlags.js';

export const evaluateCommand = defineCommand({
  name: 'evaluate',
  summary: 'Measure the test ELBO of a run: with its reconstruction term and KL, in nats',
  positionals: runArgument,
  flags: {
    data: dataFlag('its test set is evaluated'),
    objective: optionFlag('objective', { default: "the run's" }),
    samples: optionFlag('samples', { default: "the run's" }),
    kl: optionFlag('kl', { default: "the run's, where the objective can have it" }),
    binarize: optionFlag('binarize', { default: "the run's" }),
    seed: optionFlag('seed', {
      describe: 'Seed of the noise and of drawn pixels: unsigned, 64 bits',
      default: "the run's",
    }),
    workers: optionFlag('workers', { default: "all cores, at most the run's shards" }),
    backend: optionFlag('backend', {
      describe: 'What computes the terms: simd, wasm, native or cpu (docs/backends.md)',
      default: 'simd',
    }),
    ...emaFlag,
    ...inGroup(
      'Estimates of each example (with any of these, by the simd kernels over chunks of examples):',
      estimateFlags,
    ),
    ...inGroup('Processes:', processFlags),
    ...outputFlags,
  },
  examples: [
    ['lowerbound evaluate runs/cvae-1', 'Test ELBO of the newest checkpoint, by the protocol of the run'],
    ['lowerbound evaluate runs/cvae-1 --samples 100', 'The same with 100 draws of z an image: less noise'],
    [
      'lowerbound evaluate runs/cvae-1 --objective iwae --samples 100',
      'The importance-weighted bound of 100 draws, which is closer to log p(x)',
    ],
    [
      'lowerbound evaluate runs/cvae-1 --examples 0:100 --importance 1,50,5000 --ais --per-example nats.jsonl',
      'Bounds and an estimate of log p(x) of 100 test images, kept in a file',
    ],
    [
      'lowerbound evaluate runs/fashion --data /data/fashion-mnist',
      'A run that was trained on data of your own',
    ],
  ],
  async execute({ run, json, data, ema, objective, samples, kl, binarize, seed, workers, backend, ...rest }) {
    const processes = processValues(rest);
    if (wantsEstimates(rest)) {
      requireNoOther({ objective, kl, backend });
      return printEstimates({
        ...rest,
        run,
        json: json === true,
        processes,
        ...given({ data, ema, samples, binarize, seed, workers }),
      });
    }
    requireEstimate(rest);
    const [{ evaluate }, { evaluationProgress }, { hasLeader }] = await Promise.all([
      import('../coordinator/evaluate.js'),
      import('./evaluationProgress.js'),
      import('../coordinator/launched.js'),
    ]);
    // Where several processes work together, the first one speaks.
    const isSilent = hasLeader(processes);
    const progress = evaluationProgress({ json: json === true, isSilent });
    const options = {
      ...given({ data, ema, objective, samples, kl, binarize, seed, workers, backend }),
      ...processes,
    };
    const evaluation = await evaluate({ path: run, ...options, onProgress: progress.update }).finally(
      progress.end,
    );
    if (isSilent) return ExitCode.done;
    printWarnings(evaluation.warnings);
    if (json) {
      const { warnings: _told, ...figures } = evaluation;
      printJson(figures);
      return ExitCode.done;
    }
    const { test, elboStandardError, boundStandardError, protocol } = evaluation;
    const examples = protocol.examples.toLocaleString('en-US');
    printPage(
      [
        ...(test.bound === undefined ? [] : [figure('Test bound', test.bound, boundStandardError!)]),
        figure('Test ELBO', test.elbo, elboStandardError),
        `Reconstruction ${nats(test.logLikelihood)} nats`,
        `KL             ${nats(test.kl)} nats`,
        `Protocol       ${printable(protocol.data)}, ${examples} test images, binarise ${protocol.binarize}, ` +
          `K\u00a0=\u00a0${protocol.samples}, ${fieldWords('kl', protocol.kl)}, seed ${protocol.seed}${chosenWords(protocol)}`,
        ...checkpointLines(evaluation),
      ].join('\n'),
    );
    return ExitCode.done;
  },
});

function figure(title: string, mean: number, standardError: number): string {
  return `${title.padEnd(14)} ${nats(mean)} ± ${standardError.toFixed(2)} nats (standard error of the mean)`;
}

/**
 * Objective and likelihood, where they are not the ELBO and Bernoulli: `, objective iwae, likelihood
 * gaussian, sigma 0.1`.
 */
function chosenWords({ objective, likelihood }: Evaluation['protocol']): string {
  const chosen = objective === SEAMS.objective.default ? '' : `, objective ${objective}`;
  return likelihood.name === SEAMS.likelihood.default
    ? chosen
    : `${chosen}, likelihood ${choiceWords(likelihood)}`;
}

/** Right-aligned, so that the three figures stand above each other. */
function nats(value: number): string {
  return value.toFixed(2).padStart(9);
}
