// Tries examples/cluster without a container engine and without Kubernetes: makes the image by its
// Containerfile, starts the pods of mpijob.yaml, disturbs the launcher's script in five ways, and starts it
// again, as the Job would. Each run must end with the parameters of one process. Needs Linux, root,
// debootstrap and the registries. An image that was made before may be named.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeImage } from './cluster/podImage.mjs';
import { Pods } from './cluster/pods.mjs';

const MAIN = 'dist/cli/main.js';
const STEPS = ['--max-steps', '60'];

/** What happens to the first start, when, and what is mended before the second one. */
const CASES = [
  { name: 'process 2 is killed', act: (pods) => pods.signal('worker-2', 'SIGKILL', 'node ') },
  {
    name: 'process 1 is killed before the first checkpoint',
    early: true,
    act: (pods) => pods.signal('worker-1', 'SIGKILL', 'node '),
  },
  {
    name: 'a pod is killed',
    act: (pods) => pods.signal('worker-2', 'SIGKILL'),
    mend: (pods) => pods.startWorker('worker-2'),
  },
  { name: 'the launcher gets SIGTERM', act: (pods) => pods.signal('launcher', 'SIGTERM') },
  {
    name: 'a link is cut',
    act: (pods) => pods.setLink('worker-2', false),
    mend: (pods) => pods.setLink('worker-2', true),
  },
];

/** The launcher's script with more checkpoints and an early end, and the options of its new run. */
function jobScript() {
  const yaml = readFileSync('examples/cluster/mpijob.yaml', 'utf8');
  const [, indentation, block] = /\n( +)- \|\n((?:\1 .*\n)+)/.exec(yaml);
  const text = block.replaceAll(new RegExp(`^${indentation}  `, 'gm'), '');
  const script = text.replace('--checkpoint-every 5m', `--checkpoint-every 2s ${STEPS.join(' ')}`);
  if (script === text) throw new Error('The script of mpijob.yaml no longer has --checkpoint-every 5m.');
  const [, options] = /--out "\$run" (.*)\)/.exec(script);
  return { script, options: options.split(' ') };
}

async function until(condition, what) {
  for (let tries = 0; tries < 1200; tries++) {
    if (condition()) return;
    await sleep(50);
  }
  throw new Error(`There was no ${what} within a minute.`);
}

async function tryCase(pods, script, { early = false, act, mend }) {
  const run = join(pods.runs, 'lowerbound');
  rmSync(run, { recursive: true, force: true });
  const first = pods.launch(script);
  const checkpoints = join(run, 'checkpoints');
  const saved = () =>
    existsSync(checkpoints) && readdirSync(checkpoints).some((name) => /^step-0+[1-9]/.test(name));
  await until(early ? () => existsSync(join(run, 'config.json')) : saved, early ? 'run' : 'checkpoint');
  act(pods);
  const begin = performance.now();
  const { code, text: firstText } = await first;
  if (code === 0) throw new Error(`The first start ended with code 0:\n${firstText}`);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  mend?.(pods);
  await sleep(1000);
  const second = await pods.launch(script);
  if (second.code !== 0) throw new Error(`The second start ended with code ${second.code}:\n${second.text}`);
  const parameters = /SHA-256 +([0-9a-f]{64})/.exec(second.text)[1];
  const from = /Going on after step (\d+)/.exec(second.text)?.[1] ?? 0;
  return { code, seconds, from, parameters };
}

const folder = mkdtempSync(join(tmpdir(), 'lowerbound-pods-'));
const image = process.argv[2] ?? join(folder, 'image');
const pods = new Pods(image, join(folder, 'state'), 4);
try {
  if (!existsSync(image)) makeImage(image);
  const { script, options } = jobScript();
  const alone = ['train', '--out', join(folder, 'alone'), ...options, ...STEPS, '--json', '--workers', '2'];
  const said = execFileSync(process.execPath, [MAIN, ...alone], { encoding: 'utf8' })
    .trim()
    .split('\n');
  const { parametersSha256 } = JSON.parse(said.at(-1));
  pods.make();
  await sleep(1000);
  for (const one of CASES) {
    const { code, seconds, from, parameters } = await tryCase(pods, script, one);
    const same = parameters === parametersSha256;
    console.log(
      `${one.name}: code ${code} after ${seconds} s; went on after step ${from}; ${same ? 'same bits' : 'OTHER BITS'}`,
    );
    if (!same) process.exitCode = 1;
  }
} finally {
  pods.close();
  await sleep(1000);
  rmSync(folder, { recursive: true, force: true });
}
