import { constants, existsSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NATIVE_VERSION, nativeDirectory } from '../backends/tensorflow/nativeDirectory.js';
import { UsageError } from '../errors.js';
import { compileBinding, findCompiler } from './binding.js';
import { installPackages, runInstallScript } from './npm.js';
import { unpackWheel } from './unpack.js';
import { fetchWheel, WHEEL } from './wheel.js';
import { type Machine, type Progress, thisMachine, type Wheel, type Workshop, work } from './workshop.js';

export interface SetupOptions {
  /** Default: LOWERBOUND_NATIVE_DIR, or a folder of the user's own data. */
  readonly directory?: string;
  /** Makes the installation again where there is one. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Default: this one. */
  readonly machine?: Machine;
  /** Default: the one whose checksum is pinned. */
  readonly wheel?: Wheel;
}

/** How the C library came: by the package's own script, or out of PyPI's wheel. */
export type Origin = 'script' | 'wheel';

export interface NativeSetup {
  readonly directory: string;
  /** Whether this call has made it. */
  readonly made: boolean;
  readonly origin: Origin;
  /** The version of the C library. */
  readonly tensorflow: string;
  /** The time that this call took. */
  readonly seconds: number;
}

/** In the folder: by it the set-up knows what is its own. */
const MARK = 'installation.json';

const PACKAGE = join('node_modules', '@tensorflow', 'tfjs-node');

/** Bytes: measured, 933 MB stay, and the wheel has 207 MB while it is unpacked. */
const ROOM = 1.2e9;

/** Seconds. */
const CHECK_LIMIT = 120;

const silent: Progress = { begin: () => {}, advance: () => {}, note: () => {} };

/**
 * Installs @tensorflow/tfjs-node in a folder of its own: with the package's own download, or where that
 * fails, on Linux x86-64, against the C library of PyPI's tensorflow-cpu. Checks what it made, or what is
 * there already, by a gradient. The folder appears as a whole or not at all.
 * @throws UsageError where the machine lacks something, or the folder is another's; Error where a download,
 * the compiler or the check fails; the signal's reason where that was given.
 */
export async function setupNative(options: SetupOptions = {}): Promise<NativeSetup> {
  const { force = false, signal, progress = silent, machine = thisMachine(), wheel = WHEEL } = options;
  const directory = resolve(options.directory ?? nativeDirectory());
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const tools = { machine, wheel, progress, signal };
  const origin = await originOf(directory);
  if (origin !== undefined && !force) {
    const tensorflow = await checkAgain({ ...tools, directory, log: devNull });
    return { directory, made: false, origin, tensorflow, seconds: seconds() };
  }
  const made = await install(directory, tools);
  return { directory, made: true, ...made, seconds: seconds() };
}

type Made = Pick<NativeSetup, 'origin' | 'tensorflow'>;

/** Builds beside the folder and puts the whole in its place. */
async function install(directory: string, tools: Omit<Workshop, 'directory' | 'log'>): Promise<Made> {
  await makeParent(directory);
  await sweep(directory);
  await requireRoom(dirname(directory));
  const building = `${directory}.building-${process.pid}`;
  const log = `${directory}.log`;
  try {
    await writeFile(log, '');
    const made = await build({ ...tools, directory: building, log });
    await writeFile(join(building, MARK), `${JSON.stringify({ tfjsNode: NATIVE_VERSION, ...made })}\n`);
    await rename(log, join(building, 'setup.log'));
    tools.signal?.throwIfAborted();
    await replace(directory, building);
    return made;
  } finally {
    await rm(building, { recursive: true, force: true });
    // It is for those who ask why; who has stopped the work, knows.
    if (tools.signal?.aborted) await rm(log, { force: true });
  }
}

async function build(workshop: Workshop): Promise<Made> {
  const { progress, directory } = workshop;
  progress.begin(`Installing @tensorflow/tfjs-node ${NATIVE_VERSION} and its packages`);
  await installPackages(workshop);
  progress.begin("Trying the package's own download");
  const script = await runInstallScript(workshop);
  const plain = script.kind === 'done' ? await check(workshop) : { reason: failureOf(script) };
  if ('tensorflow' in plain) return { origin: 'script', ...plain };
  progress.note(`That failed: ${plain.reason}.`);
  requireWheelPlatform(workshop, plain.reason);
  const compiler = await findCompiler(workshop);
  const folder = join(directory, PACKAGE);
  // What the script may have left.
  for (const half of ['deps', 'lib']) await rm(join(folder, half), { recursive: true, force: true });
  const path = await fetchWheel(workshop);
  await unpackWheel(workshop, path, join(folder, 'deps'));
  await rm(join(directory, 'wheel'), { recursive: true });
  await compileBinding(workshop, compiler, folder);
  const built = await check(workshop);
  if ('tensorflow' in built) return { origin: 'wheel', ...built };
  throw new Error(
    `tfjs-node was built, but does not compute: ${built.reason}. All that was said is in ${workshop.log}.`,
  );
}

/** @throws UsageError for a platform that has only the package's own download. */
function requireWheelPlatform({ machine, log }: Workshop, reason: string): void {
  const { platform, arch, glibc } = machine;
  if (platform === 'linux' && arch === 'x64' && glibc) return;
  const here = platform === 'linux' && arch === 'x64' ? 'Linux without glibc' : `${platform} ${arch}`;
  throw new UsageError(
    `tfjs-node's own download failed (${reason}), and on ${here} there is no other way: the library in PyPI's wheel is ` +
      'for Linux x86-64 with glibc. Try again where that download gets through, or take the backend simd or wasm, which ' +
      `need no installation. All that was said is in ${log}.`,
  );
}

type Checked = { readonly tensorflow: string } | { readonly reason: string };

/** By a gradient in a process of its own, under the Node that is running. */
async function check(workshop: Workshop): Promise<Checked> {
  workshop.progress.begin('Checking a gradient');
  const script = fileURLToPath(new URL('gradientCheck.js', import.meta.url));
  const args = [script, join(workshop.directory, PACKAGE)];
  const done = await work(workshop, { program: process.execPath, args, timeLimit: CHECK_LIMIT });
  if (done.kind !== 'done') return { reason: failureOf(done) };
  const last = done.stdout.trim().split('\n').at(-1)!;
  return JSON.parse(last) as { readonly tensorflow: string };
}

async function checkAgain(workshop: Workshop): Promise<string> {
  const found = await check(workshop);
  if ('tensorflow' in found) return found.tensorflow;
  throw new Error(
    `tfjs-node is in ${workshop.directory}, but does not compute: ${found.reason}. ` +
      'Make it again with "npx lowerbound setup native --force".',
  );
}

function failureOf(
  done: { readonly kind: 'absent' } | { readonly kind: 'failed'; readonly reason: string },
): string {
  return done.kind === 'absent' ? 'its program is not there' : done.reason;
}

/**
 * The origin of the installation in the folder; undefined where there is none.
 * @throws UsageError for a folder that holds something else: it would be lost.
 */
async function originOf(directory: string): Promise<Origin | undefined> {
  if (!existsSync(directory)) return undefined;
  const mark = await readFile(join(directory, MARK), 'utf8').catch(() => undefined);
  if (mark !== undefined) return (JSON.parse(mark) as { readonly origin: Origin }).origin;
  const entries = await readdir(directory).catch(() => ['a file']);
  if (entries.length === 0) return undefined;
  throw new UsageError(
    `${directory} is there, and no installation of ours: it would be lost. Name a folder that does not exist yet.`,
  );
}

/** @throws UsageError where the system refuses. */
async function makeParent(directory: string): Promise<void> {
  try {
    await mkdir(dirname(directory), { recursive: true });
    await access(dirname(directory), constants.W_OK);
  } catch (error) {
    throw new UsageError(
      `${dirname(directory)} cannot be written to: ${(error as Error).message}. Name another folder with --directory.`,
      { cause: error },
    );
  }
}

/** @throws UsageError where the disk is too full. */
async function requireRoom(parent: string): Promise<void> {
  const { bavail, bsize } = await statfs(parent);
  if (bavail * bsize >= ROOM) return;
  const free = Math.floor((bavail * bsize) / 1e6);
  throw new UsageError(
    `The set-up needs ${ROOM / 1e6} MB in ${parent}, but ${free} MB are free. Make room, or name a folder on another ` +
      'disk with --directory.',
  );
}

/** Removes what killed set-ups have left. */
async function sweep(directory: string): Promise<void> {
  const prefix = `${basename(directory)}.building-`;
  for (const name of await readdir(dirname(directory))) {
    if (name.startsWith(prefix) && !isRunning(Number(name.slice(prefix.length)))) {
      await rm(join(dirname(directory), name), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Puts the new folder in the place of the old one. Programs that have the old one loaded go on with it. */
async function replace(directory: string, made: string): Promise<void> {
  const old = `${made}-old`;
  if (existsSync(directory)) await rename(directory, old);
  await rename(made, directory);
  await rm(old, { recursive: true, force: true });
}
