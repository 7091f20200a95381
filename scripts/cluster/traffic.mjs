// What crosses the link in a step, by the link's own counters, against the model of docs/cluster.md: each of
// n processes sends 2 (n − 1) / n · P floats, where n is a power of two.

import { join } from 'node:path';
import { firstLines } from './jobs.mjs';
import { MODELS } from './rows.mjs';
import { startTogether, withFolder } from './runs.mjs';

const PROCESSES = 2;

/** The difference of the two runs has no start and no end. */
const SHORT = 20;
const LONG = 220;

/** Headers of Ethernet, IP and TCP, acknowledgements, the shards' terms, and what the launcher says. */
const MOST = 1.25;

/** The row of a place with two hosts. */
export function trafficRow(place) {
  return {
    kind: 'TRF',
    model: 'mlp',
    what: `bytes a step of ${PROCESSES} processes against the model, steps ${SHORT} to ${LONG}`,
    attempts: [['bytes', () => measure(place)]],
  };
}

async function measure(place) {
  const short = await sentBy(place, SHORT);
  const long = await sentBy(place, LONG);
  const expected = ((2 * (PROCESSES - 1)) / PROCESSES) * 4 * long.parameters;
  const ratios = long.sent.map((bytes, host) => (bytes - short.sent[host]) / (LONG - SHORT) / expected);
  const texts = ratios.map((ratio) => ratio.toFixed(3));
  if (ratios.some((ratio) => !(ratio >= 1 && ratio <= MOST))) {
    throw new Error(`bytes sent / bytes of the model: ${texts.join(', ')}, not within 1 to ${MOST}`);
  }
  const note = `bytes sent / bytes of the model: ${texts.join(' and ')}; the model says ${Math.round(expected)} a step`;
  return { found: {}, expected: {}, note };
}

/** Bytes that each host has sent in a run of so many steps, which stays within its first epoch. */
function sentBy(place, steps) {
  return withFolder(async (folder) => {
    const before = place.hosts.sentBytes();
    const args = [...MODELS.mlp, '--max-steps', steps, '--out', join(folder, 'run')];
    const job = startTogether(place, args, { processes: PROCESSES });
    const { parameters } = await job.event('started');
    const { code, stderr } = await job.ended;
    if (code !== 0) throw new Error(`the job ended with ${code}: ${firstLines(stderr)}`);
    return { parameters, sent: place.hosts.sentBytes().map((bytes, host) => bytes - before[host]) };
  });
}
