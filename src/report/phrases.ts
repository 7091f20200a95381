import { dirname } from 'node:path';
import { formatBytes, formatCount, formatDuration, formatNats, formatRate } from './quantity.js';
import type { ReportEvent } from './reportEvent.js';
import type { RunStatus } from './runStatus.js';

type Event<Kind extends ReportEvent['kind']> = Extract<ReportEvent, { kind: Kind }>;

/** The lines that a person is told of an event; none for those that only move the progress on. */
export function linesOf(event: ReportEvent, status: RunStatus): string[] {
  switch (event.kind) {
    case 'started':
      return startLines(event);
    case 'epoch':
      return [epochLine(event, status)];
    case 'warning':
      return [`Warning: ${event.message}`];
    case 'note':
      return [event.message];
    case 'finished':
      return finishLines(event, status);
    default:
      return [];
  }
}

function startLines(event: Event<'started'>): string[] {
  const { config, workers, step, endStep } = event;
  const lines = [
    `Training in ${event.directory}`,
    `${formatCount(event.parameters)} parameters, ${formatCount(event.trainCount)} training ` +
      `and ${formatCount(event.testCount)} test images`,
    `${counted(config.epochs, 'epoch')} of ${counted(event.stepsPerEpoch, 'step')}, ` +
      `${counted(workers, 'worker')}, ${formatBytes(event.memoryBytes)} of shared memory`,
  ];
  if (step > 0) lines.push(`Going on after step ${formatCount(step)} of ${formatCount(endStep)}`);
  return lines;
}

function epochLine(event: Event<'epoch'>, { epochs }: RunStatus): string {
  const { train, test, seconds, imagesPerSecond } = event;
  const speed =
    imagesPerSecond > 0 ? `, ${formatDuration(seconds)}, ${formatRate(imagesPerSecond)} images/s` : '';
  const parts = `reconstruction ${formatNats(test.logLikelihood)}, KL ${formatNats(test.kl)}`;
  const elbo = `ELBO train ${formatNats(train.elbo)}, test ${formatNats(test.elbo)} nats (${parts})`;
  const bound =
    train.bound === undefined || test.bound === undefined
      ? ''
      : `bound train ${formatNats(train.bound)}, test ${formatNats(test.bound)} nats, `;
  const terms = `${bound}${elbo}`;
  return `epoch ${event.epoch}/${epochs}: ${terms}${speed}`;
}

function finishLines({ reason, step }: Event<'finished'>, status: RunStatus): string[] {
  const verb = { done: 'Done', maxSteps: 'Stopped at the limit on steps', stopped: 'Stopped as asked' }[
    reason
  ];
  const resumed = status.stepsHere === step ? '' : ` after step ${formatCount(step)}`;
  const here = `${counted(status.stepsHere, 'step')} in ${formatDuration(status.elapsedSeconds)}`;
  const lines = [`${verb}${resumed}: ${here}`];
  if (status.checkpoint) lines.push(`Checkpoint: ${status.checkpoint.path}`);
  if (status.picture !== undefined) lines.push(`Pictures: ${dirname(status.picture)}`);
  return lines;
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Where the run stands, e.g. `epoch 3/10  step 4,687/18,750  5,210 images/s  ELBO -161.20 nats  3 m 20 s left`. */
export function progressLine(status: RunStatus): string {
  const step = `step ${formatCount(status.step)}/${formatCount(status.endStep)}`;
  return [epochOf(status), step, ...paceOf(status)].join('  ');
}

const WIDEST_BAR = 40;

/** The same with a bar of the whole run, in at most `width` columns: on narrow terminals less is told. */
export function barLine(status: RunStatus, width: number): string {
  const words = `step ${formatCount(status.step)}/${formatCount(status.endStep)}`;
  const digits = `${status.step}/${status.endStep}`;
  const pace = paceOf(status);
  // With the narrowest bar that is worth the words.
  const candidates = [
    { parts: [words, ...pace], narrowest: 12 },
    { parts: [digits, ...pace], narrowest: 6 },
    { parts: pace, narrowest: 6 },
    { parts: pace.slice(1), narrowest: 6 },
    { parts: pace.slice(-1), narrowest: 6 },
  ];
  for (const { parts, narrowest } of candidates) {
    const text = parts.join('  ');
    const room = width - epochOf(status).length - text.length - 2;
    if (room < narrowest) continue;
    return `${epochOf(status)} ${bar(status, Math.min(room, WIDEST_BAR))} ${text}`;
  }
  return epochOf(status).slice(0, width);
}

function epochOf({ epoch, epochs }: RunStatus): string {
  return `epoch ${epoch}/${epochs}`;
}

/** Images/s, ELBO, time left; what the run does instead, where it does not train. */
function paceOf({ phase, imagesPerSecond, elbo, bound, secondsLeft }: RunStatus): string[] {
  if (phase !== undefined) return [phase];
  const parts: string[] = [];
  if (imagesPerSecond !== undefined) parts.push(`${formatRate(imagesPerSecond)} images/s`);
  if (bound !== undefined) parts.push(`bound ${formatNats(bound)} nats`);
  else if (elbo !== undefined) parts.push(`ELBO ${formatNats(elbo)} nats`);
  if (secondsLeft !== undefined) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts;
}

function bar({ step, endStep }: RunStatus, width: number): string {
  const full = endStep > 0 ? Math.floor((Math.min(step, endStep) / endStep) * width) : width;
  return '█'.repeat(full) + '░'.repeat(width - full);
}
