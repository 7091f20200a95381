import type { MetricsComparison } from '../coordinator/metricsComparison.js';
import type { Verification, VerifiedInterval } from '../coordinator/verify.js';
import { jsonLine } from '../jsonLine.js';
import { formatCount } from '../report/quantity.js';
import type { TensorDifference } from '../runs/stateDifference.js';
import { defineCommand, given } from './command.js';
import { ExitCode } from './exitCode.js';
import { path, switchFlag, wholeNumber } from './flags.js';
import { optionFlag } from './optionFlags.js';
import { printJson, printPage } from './output.js';
import { dataFlag, outputFlags } from './sharedFlags.js';

/** Tensors that are told one by one. */
const SHOWN = 8;

export const verifyCommand = defineCommand({
  name: 'verify',
  summary: 'Replay steps of a run from its checkpoints, and say whether the bits agree',
  positionals: {
    run: path("the path of a run's directory", {
      describe: "A run's directory; nothing is written there",
      default: 'none: it must be given',
    }),
  },
  flags: {
    all: switchFlag({
      describe: 'Replay all steps: from the initial parameters to the newest checkpoint, and compare at each',
      default: 'off: from the last checkpoint but one to the newest',
    }),
    from: wholeNumber(0, {
      describe: 'Begin at this step: 0, the initial parameters, or that of a checkpoint',
      default: 'the checkpoint before --to; without one, 0',
    }),
    to: wholeNumber(0, {
      describe: 'End at this step: that of a checkpoint',
      default: 'the newest checkpoint',
    }),
    data: dataFlag("the run's own"),
    workers: optionFlag('workers', { default: "all cores, at most the run's shards" }),
    revectorize: optionFlag('revectorize', {}),
    tile: optionFlag('tile', {}),
    ...outputFlags,
  },
  examples: [
    ['lowerbound verify runs/cvae-1', 'Replay the steps between the two newest checkpoints'],
    ['lowerbound verify runs/cvae-1 --all --workers 1', 'Replay the whole run on one thread'],
    ['lowerbound verify runs/cvae-1 --from 0 --to 1875', 'From the seed to the checkpoint of step 1875'],
  ],
  async execute({ run, json, all, from, to, data, workers, revectorize, tile }) {
    const [{ verify }, { verificationProgress }] = await Promise.all([
      import('../coordinator/verify.js'),
      import('./evaluationProgress.js'),
    ]);
    const progress = verificationProgress({ json: json === true });
    const options = given({ all, from, to, data, workers, revectorize, tile });
    const verification = await verify({ path: run, ...options, onProgress: progress.update }).finally(
      progress.end,
    );
    if (json) printJson(verification);
    else printPage(textOf(verification));
    return verification.agrees ? ExitCode.done : ExitCode.failed;
  },
});

function textOf(verification: Verification): string {
  const { intervals, unusable, config, workers, tile, revectorized } = verification;
  const how =
    tile === undefined
      ? []
      : [
          `Replayed       on ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${config.arithmetic} arithmetic, ` +
            `tile ${tile}, ${revectorized ? 're-vectorised' : 'not re-vectorised'}`,
        ];
  return [
    ...how,
    ...unusable.map(({ reason }) => `Cannot be used ${reason}`),
    ...intervals.flatMap(intervalLines),
    verdict(verification),
  ].join('\n');
}

function intervalLines(interval: VerifiedInterval): string[] {
  const { to, checkpoint, notReplayed, parametersSha256, tensors, epochSums, metrics } = interval;
  const what = `Step ${formatCount(to)}`.padEnd(14);
  const head = `${what} from ${startWords(interval)}, by ${interval.backends.join(', then ')}:`;
  if (notReplayed !== undefined) return [`${head} not replayed. ${notReplayed}`];
  const sums = epochSums!.agree ? 'the epoch sums agree' : 'THE EPOCH SUMS DIFFER';
  const rest = `${sums}, ${metricsWords(metrics!)}`;
  if (tensors!.length === 0) {
    return [
      `${head} the bits agree, ${rest}`,
      `SHA-256        ${parametersSha256!.stored}`,
      ...lineDifference(metrics!),
    ];
  }
  const shown = tensors!.slice(0, SHOWN).map(tensorLine);
  const more = tensors!.length - shown.length;
  return [
    `${head} THE BITS DIFFER, ${rest}`,
    `Checkpoint     ${checkpoint}`,
    `SHA-256        ${parametersSha256!.stored} in the checkpoint, ${parametersSha256!.replayed} here`,
    ...shown,
    ...(more > 0 ? [`  … and ${more} more tensors (--json has all)`] : []),
    ...lineDifference(metrics!),
    ...again(interval),
  ];
}

function startWords({ from }: VerifiedInterval): string {
  return from === 0 ? 'the initial parameters' : `step ${formatCount(from)}`;
}

function metricsWords({ lines, differing }: MetricsComparison): string {
  if (lines === 0) return 'no metrics lines to compare';
  const count = `${formatCount(lines)} metrics ${lines === 1 ? 'line' : 'lines'}`;
  if (differing === 0) return `${count} ${lines === 1 ? 'agrees' : 'agree'}`;
  return lines === 1 ? `${count} DIFFERS` : `${formatCount(differing)} of ${count} DIFFER`;
}

function tensorLine({ tensor, shape, size, elements, first, mostUlp }: TensorDifference): string {
  const count = `${formatCount(elements)} of ${formatCount(size)} elements ${elements === 1 ? 'differs' : 'differ'}`;
  return (
    `  ${tensor} [${shape.join(', ')}]: ${count}, by at most ${formatCount(mostUlp)} ULP; the first is ` +
    `[${first.index.join(', ')}]: ${numberText(first.stored)} in the checkpoint, ${numberText(first.replayed)} here`
  );
}

/** Nine digits tell a float32 from its neighbours. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(Number(value.toPrecision(9)));
}

function lineDifference({ first, agreeUntil }: MetricsComparison): string[] {
  if (first === undefined) return [];
  const until = agreeUntil === undefined ? '' : ` The lines up to step ${formatCount(agreeUntil)} agree.`;
  const replayed = first.replayed === undefined ? 'no such line' : jsonLine(first.replayed);
  return [`  metrics.jsonl has ${jsonLine(first.stored)}, the replay ${replayed}.${until}`];
}

function again({ agreesFromReplay, from }: VerifiedInterval): string[] {
  if (agreesFromReplay === undefined) return [];
  const where = formatCount(from);
  return agreesFromReplay
    ? [
        `  From the replay's own state of step ${where} the bits agree: only the checkpoint of step ${where} is wrong.`,
      ]
    : [`  From the replay's own state of step ${where} they differ as well.`];
}

function verdict({ agrees, intervals, unusable }: Verification): string {
  if (agrees) return 'The bits agree.';
  const differing = intervals.filter(({ tensors }) => tensors !== undefined && tensors.length > 0);
  if (differing.length > 0) {
    const places = differing.map(
      (interval) => `${startWords(interval)} and step ${formatCount(interval.to)}`,
    );
    return `The bits differ: between ${places.join(', and between ')}.`;
  }
  if (intervals.some(({ notReplayed }) => notReplayed !== undefined))
    return 'Not all steps could be replayed.';
  if (unusable.length > 0) {
    return intervals.length === 0
      ? 'No checkpoint can be used, so there is nothing to compare.'
      : 'The bits of the other checkpoints agree.';
  }
  return 'The bits of the checkpoints agree, but what was written beside them does not.';
}
