import { dirname } from 'node:path';
import { formatBytes, formatCount, formatDuration, formatNats, formatRate } from './quantity.js';
import type { ReportEvent } from './reportEvent.js';
import type { RunStatus } from './runStatus.js';
import { plain, type Style } from './style.js';
import { HARD_SPACE, visibleLength } from './wrap.js';

type Event<Kind extends ReportEvent['kind']> = Extract<ReportEvent, { kind: Kind }>;

/** The lines that a person is told of an event; none for those that only move the progress on. */
export function linesOf(event: ReportEvent, status: RunStatus, style = plain): string[] {
  switch (event.kind) {
    case 'started':
      return startLines(event, style);
    case 'epoch':
      return [epochLine(event, status, style)];
    case 'picture':
      return event.first ? [`First picture: ${event.path}`] : [];
    case 'warning':
      return [`${style.warning('Warning:')} ${event.message}`];
    case 'recovered':
      return [`${style.warning('Warning:')} ${recoveryLine(event)}`];
    case 'healed':
      return [`${style.warning('Warning:')} ${healingLine(event)}`];
    case 'skipped':
      return [`${style.warning('Warning:')} Step ${formatCount(event.step)} was skipped. ${event.cause}`];
    case 'stopping':
      return [style.warning(event.message)];
    case 'note':
      return [event.message];
    case 'finished':
      return finishLines(event, status, style);
    default:
      return [];
  }
}

function recoveryLine({ rank, cause, ...rest }: Event<'recovered'>): string {
  return `Worker ${rank} died: ${cause.replace(/[.]?$/, '.')} ${goesOn(rest)}`;
}

function healingLine({ lost, processes, ...rest }: Event<'healed'>): string {
  const died = lost === 1 ? 'A process' : `${formatCount(lost)} processes`;
  const left = processes === 1 ? 'one is left' : `${formatCount(processes)} are left`;
  return `${died} died, ${left}. ${goesOn(rest)}`;
}

function goesOn({
  step,
  stepsLost,
  milliseconds,
}: Pick<Event<'recovered'>, 'step' | 'stepsLost' | 'milliseconds'>): string {
  const again = stepsLost === 0 ? '' : `, with ${counted(stepsLost, 'step')} to compute again`;
  const took = formatCount(Math.round(milliseconds));
  return `The run goes on after step ${formatCount(step)}${again}, after ${took} ms; no bit changes.`;
}

function startLines(event: Event<'started'>, style: Style): string[] {
  const { config, workers, step, endStep, stepsPerEpoch } = event;
  const images = `${formatCount(event.trainCount)} training and ${formatCount(event.testCount)} test images`;
  const limit = endStep < config.epochs * stepsPerEpoch ? `, to stop after step ${formatCount(endStep)}` : '';
  const lines = [
    `Size         ${formatCount(event.parameters)} parameters; ${images}`,
    `Plan         ${counted(config.epochs, 'epoch')} of ${counted(stepsPerEpoch, 'step')}${limit}`,
    `Workers      ${formatCount(workers)}${together(event)}, with ${formatBytes(event.memoryBytes)} of shared memory`,
    `Training in ${style.strong(event.directory)}`,
  ];
  if (step > 0) lines.push(`Going on after step ${formatCount(step)} of ${formatCount(endStep)}`);
  return lines;
}

function together({ processes }: Event<'started'>): string {
  return processes === 1 ? '' : ` in each of ${formatCount(processes)} processes`;
}

function epochLine(event: Event<'epoch'>, { epochs }: RunStatus, style: Style): string {
  const { train, test, seconds, imagesPerSecond } = event;
  const speed =
    imagesPerSecond > 0 ? `, ${formatDuration(seconds)}, ${formatRate(imagesPerSecond)} images/s` : '';
  const parts = `(reconstruction ${formatNats(test.logLikelihood)}, KL ${formatNats(test.kl)})`;
  const strong = (value: number) => style.strong(formatNats(value));
  const ofTest = `test ELBO ${test.bound === undefined ? strong(test.elbo) : formatNats(test.elbo)} nats ${parts}`;
  const ofTrain = `train ELBO ${formatNats(train.elbo)}`.replaceAll(' ', HARD_SPACE);
  const terms = [ofTest, ofTrain];
  if (train.acceptance !== undefined) terms.push(`HMC acceptance ${train.acceptance.toFixed(2)}`);
  if (train.gradientNorm !== undefined && train.clipped !== undefined) {
    const share = `${Math.round(100 * train.clipped)} % clipped`;
    terms.push(`gradient norm ${train.gradientNorm.toPrecision(3)}, ${share}`);
  }
  // What is maximised comes first.
  if (train.bound !== undefined && test.bound !== undefined) {
    terms.unshift(`test bound ${strong(test.bound)} nats, train bound ${formatNats(train.bound)}`);
  }
  return `${style.name(`epoch ${event.epoch}/${epochs}`)}  ${terms.join(', ')}${speed}`;
}

function finishLines({ reason, step }: Event<'finished'>, status: RunStatus, style: Style): string[] {
  const verb = { done: 'Done', maxSteps: 'Stopped at the limit on steps', stopped: 'Stopped as asked' }[
    reason
  ];
  const resumed = status.stepsHere === step ? '' : ` after step ${formatCount(step)}`;
  const here = `${counted(status.stepsHere, 'step')} in ${formatDuration(status.elapsedSeconds)}`;
  const lines = [`${style.good(verb)}${resumed}: ${here}`];
  if (status.checkpoint) lines.push(`Checkpoint   ${status.checkpoint.path}`);
  if (status.picture !== undefined) lines.push(`Pictures     ${dirname(status.picture)}`);
  return lines;
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Where the run stands, e.g. `epoch 3/10  step 937/1,875  5,210 images/s  ELBO -161.20 nats  3 m 20 s left`:
 * the step of the epoch, and the time until the end of the run.
 */
export function progressLine(status: RunStatus, style = plain): string {
  const { phase, secondsLeft } = status;
  const parts = [style.name(epochOf(status)), stepOf(status)];
  if (phase !== undefined) parts.push(`${phase}, ${formatDuration(status.phaseSeconds)}`);
  else {
    parts.push(...paceOf(status, ' nats'));
    if (secondsLeft !== undefined) parts.push(`${formatDuration(secondsLeft)} left`);
  }
  return parts.join('  ');
}

const WIDEST_BAR = 40;

/**
 * The same with a bar of the epoch, and the time that epoch and run still take, in at most `width` columns:
 * on narrow terminals less is told.
 */
export function barLine(status: RunStatus, width: number, style = plain): string {
  const epoch = epochOf(status);
  const step = stepOf(status);
  const pace = paceOf(status, '');
  const times = timesOf(status);
  const { phase, secondsLeft } = status;
  const shortest = phase ?? (secondsLeft === undefined ? '' : `${formatDuration(secondsLeft)} left`);
  // With the narrowest bar that is worth the words.
  const candidates = [
    { parts: [step, ...pace, ...times], narrowest: 12 },
    { parts: [step.replace('step ', ''), ...pace.slice(-1), ...times], narrowest: 6 },
    { parts: [...pace.slice(-1), ...times], narrowest: 6 },
    { parts: times, narrowest: 6 },
    { parts: [shortest], narrowest: 6 },
  ];
  for (const { parts, narrowest } of candidates) {
    const text = parts.join('  ');
    const room = width - epoch.length - visibleLength(text) - 2;
    if (room < narrowest) continue;
    return `${style.name(epoch)} ${bar(status, Math.min(room, WIDEST_BAR), style)} ${text}`.trimEnd();
  }
  return style.name(epoch.slice(0, Math.max(width, 0)));
}

function epochOf({ epoch, epochs }: RunStatus): string {
  return `epoch ${epoch}/${epochs}`;
}

/** The step within the epoch: the whole run's steps would not fit the epoch beside them. */
function stepOf({ epochStep, epochSteps }: RunStatus): string {
  return `step ${formatCount(epochStep)}/${formatCount(epochSteps)}`;
}

/**
 * Images/s, the share of exchanges between processes, and the objective: its bound where it reports one, else
 * the ELBO; nothing where the run does not train.
 */
function paceOf(status: RunStatus, unit: string): string[] {
  const { phase, imagesPerSecond, exchangeShare, elbo, bound } = status;
  if (phase !== undefined) return [];
  const parts: string[] = [];
  if (imagesPerSecond !== undefined) parts.push(`${formatRate(imagesPerSecond)} images/s`);
  if (exchangeShare !== undefined) parts.push(`${Math.round(100 * exchangeShare)} % in exchange`);
  if (bound !== undefined) parts.push(`bound ${formatNats(bound)}${unit}`);
  else if (elbo !== undefined) parts.push(`ELBO ${formatNats(elbo)}${unit}`);
  return parts;
}

/** What the run does where it does not train; else the time that is left, of the epoch and of the run. */
function timesOf({ phase, phaseSeconds, epochSecondsLeft, secondsLeft, epoch, epochs }: RunStatus): string[] {
  if (phase !== undefined)
    return [phase === 'starting' ? phase : `${phase}, ${formatDuration(phaseSeconds)}`];
  if (epochSecondsLeft === undefined || secondsLeft === undefined) return [];
  const run = formatDuration(secondsLeft);
  if (epoch === epochs) return [`${run} left`];
  return [`left: epoch ${formatDuration(epochSecondsLeft)}, run ${run}`];
}

function bar({ epochStep, epochSteps }: RunStatus, width: number, style: Style): string {
  const share = epochSteps > 0 ? Math.min(epochStep / epochSteps, 1) : 1;
  const full = Math.floor(share * width);
  return style.good('█'.repeat(full)) + style.faint('░'.repeat(width - full));
}
