import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.js';
import { type Done, type Job, type Workshop, work } from './workshop.js';

/** What is installed, with the version and the checksum of every package below it. */
const MANIFEST = fileURLToPath(new URL('../../setup/native/', import.meta.url));

/** Seconds. */
const INSTALL_LIMIT = 900;
const SCRIPT_LIMIT = 600;

/**
 * Installs tfjs-node and what it depends on, as locked in setup/native, without running any script of theirs.
 * @throws UsageError where there is no npm; Error where npm fails.
 */
export async function installPackages(workshop: Workshop): Promise<void> {
  await mkdir(workshop.directory, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(join(MANIFEST, name), join(workshop.directory, name));
  }
  const done = await npm(workshop, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], INSTALL_LIMIT);
  if (done.kind === 'absent') {
    throw new UsageError('The set-up needs npm, and there is none on the PATH. Install npm, then try again.');
  }
  if (done.kind === 'failed') {
    throw new Error(
      `npm could not install tfjs-node's packages: ${done.reason}. ` +
        `Check that npm reaches its registry, then try again; all it said is in ${workshop.log}.`,
    );
  }
}

/** Has tfjs-node download its library and its binding, as a plain `npm install` would. */
export function runInstallScript(workshop: Workshop): Promise<Done> {
  return npm(workshop, ['rebuild', '@tensorflow/tfjs-node', '--foreground-scripts'], SCRIPT_LIMIT);
}

function npm(workshop: Workshop, args: readonly string[], timeLimit: number): Promise<Done> {
  const { program, args: first } = npmCommand(workshop.machine.platform);
  // Under npx the environment names the project around it: the prefix says which one is meant.
  const all = [...first, ...args, '--prefix', workshop.directory];
  return work(workshop, { program, args: all, timeLimit });
}

/**
 * npm's own script, run by this Node, where that is found: on Windows a program named `npm` would need a
 * shell.
 */
function npmCommand(platform: NodeJS.Platform): Pick<Job, 'program' | 'args'> {
  const given = process.env.npm_execpath;
  const beside = dirname(process.execPath);
  const scripts = [
    ...(given !== undefined && basename(given) === 'npm-cli.js' ? [given] : []),
    platform === 'win32'
      ? join(beside, 'node_modules', 'npm', 'bin', 'npm-cli.js')
      : join(beside, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const script = scripts.find((path) => existsSync(path));
  return script === undefined ? { program: 'npm', args: [] } : { program: process.execPath, args: [script] };
}
