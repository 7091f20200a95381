// TensorFlow's C library as PyPI carries it: in the wheel of tensorflow-cpu, whose bytes are pinned.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { type Workshop, work } from './workshop.js';

export const WHEEL = {
  project: 'tensorflow-cpu',
  version: '2.15.1',
  /** Python 3.11's, for glibc from 2.17 up; other Pythons' hold the same library. */
  tags: 'cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64',
  bytes: 207_208_420,
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
} as const;

/** Seconds for pip, and for the download without it. */
const TIME_LIMIT = 1800;

/** Milliseconds between two looks at how far pip is. */
const LOOK = 500;

type Fetched =
  | { readonly kind: 'fetched'; readonly path: string }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Downloads the wheel, with pip where that is there (it knows the user's index and proxy), else from PyPI itself, and
 * checks its SHA-256.
 * @returns the path of the file.
 * @throws Error where neither way works, or the bytes are not the pinned ones.
 */
export async function fetchWheel(workshop: Workshop): Promise<string> {
  const folder = join(workshop.directory, 'wheel');
  await mkdir(folder);
  workshop.progress.begin(`Downloading TensorFlow ${WHEEL.version} from PyPI (${megabytes(WHEEL.bytes)})`);
  const piped = await withPip(workshop, folder);
  const fetched = piped.kind === 'fetched' ? piped : await withoutPip(workshop, folder);
  if (fetched.kind === 'failed') {
    const pip = piped.kind === 'failed' ? `With pip: ${piped.reason}. Without: ` : '';
    throw new Error(
      `${WHEEL.project} ${WHEEL.version} could not be downloaded from PyPI. ${pip}${fetched.reason}. ` +
        `Check the network or pip's settings, then try again; all that was said is in ${workshop.log}.`,
    );
  }
  await checkBytes(fetched.path, workshop.signal);
  return fetched.path;
}

async function withPip(workshop: Workshop, folder: string): Promise<Fetched> {
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${WHEEL.project}==${WHEEL.version} --hash=sha256:${WHEEL.sha256}\n`);
  const temporary = join(folder, 'pip');
  await mkdir(temporary);
  const target = [
    '--platform',
    'manylinux2014_x86_64',
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--abi',
    'cp311',
  ];
  const download = [
    'download',
    '--requirement',
    requirements,
    '--no-deps',
    '--only-binary',
    ':all:',
    ...target,
  ];
  const quiet = ['--dest', folder, '--no-cache-dir', '--no-input', '--progress-bar', 'off'];
  const watch = setInterval(() => {
    void bytesBelow(folder).then((bytes) =>
      workshop.progress.advance(Math.min(bytes, WHEEL.bytes), WHEEL.bytes),
    );
  }, LOOK);
  try {
    const done = await work(workshop, {
      program: 'python3',
      args: ['-m', 'pip', ...download, ...quiet],
      // Where pip keeps the file while it grows.
      env: { TMPDIR: temporary, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
      timeLimit: TIME_LIMIT,
    });
    if (done.kind === 'absent') return { kind: 'failed', reason: 'there is no python3' };
    if (done.kind === 'failed') return done;
  } finally {
    clearInterval(watch);
  }
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) return { kind: 'failed', reason: 'pip wrote no wheel' };
  return { kind: 'fetched', path: join(folder, name) };
}

async function withoutPip(workshop: Workshop, folder: string): Promise<Fetched> {
  const path = join(folder, `${WHEEL.project.replace('-', '_')}-${WHEEL.version}-${WHEEL.tags}.whl`);
  const limit = AbortSignal.timeout(TIME_LIMIT * 1000);
  const signal = workshop.signal === undefined ? limit : AbortSignal.any([workshop.signal, limit]);
  try {
    const index = await request(
      workshop,
      `https://pypi.org/pypi/${WHEEL.project}/${WHEEL.version}/json`,
      signal,
    );
    const response = await request(workshop, addressIn(await index.json()), signal);
    let done = 0;
    const counting = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        done += chunk.length;
        workshop.progress.advance(Math.min(done, WHEEL.bytes), WHEEL.bytes);
        // A larger file is a wrong one: it must not fill the disk.
        next(done > WHEEL.bytes ? new Error('there is more of it than there should be') : null, chunk);
      },
    });
    const body = Readable.fromWeb(response.body as ReadableStream);
    await pipeline(body, counting, createWriteStream(path), { signal });
    return { kind: 'fetched', path };
  } catch (error) {
    workshop.signal?.throwIfAborted();
    return { kind: 'failed', reason: limit.aborted ? `it took more than ${TIME_LIMIT} s` : deepest(error) };
  }
}

async function request({ machine }: Workshop, address: string, signal: AbortSignal): Promise<Response> {
  const response = await machine.fetch(address, { signal });
  const { host, protocol } = new URL(response.url || address);
  if (protocol !== 'https:') throw new Error(`${host} was reached without encryption`);
  if (!response.ok || response.body === null)
    throw new Error(`${host} answered with status ${response.status}`);
  return response;
}

/** Of the one file with the pinned checksum, in PyPI's JSON about a release. */
function addressIn(release: unknown): string {
  const { urls = [] } = release as {
    readonly urls?: readonly { readonly url: string; readonly digests: { readonly sha256: string } }[];
  };
  const file = urls.find(({ digests }) => digests.sha256 === WHEEL.sha256);
  if (file === undefined) throw new Error('PyPI lists no file with the expected checksum');
  if (!file.url.startsWith('https://')) throw new Error('PyPI gives an address without encryption');
  return file.url;
}

/** @throws Error where the file is not the pinned one. */
async function checkBytes(path: string, signal: AbortSignal | undefined): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, signal === undefined ? {} : { signal });
  const sha256 = hash.digest('hex');
  if (sha256 === WHEEL.sha256) return;
  throw new Error(
    `The downloaded wheel of ${WHEEL.project} ${WHEEL.version} has the SHA-256 ${sha256}, but ${WHEEL.sha256} is expected: ` +
      'it was damaged or exchanged on its way, and nothing of it was used. Try again, from another network or index.',
  );
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  // Files come and go meanwhile.
  for (const entry of await readdir(folder, { recursive: true }).catch(() => [])) {
    const file = await stat(join(folder, entry)).catch(() => undefined);
    if (file?.isFile()) bytes += file.size;
  }
  return bytes;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** fetch says only "fetch failed"; its causes say why. */
function deepest(error: unknown): string {
  let last = error;
  while (last instanceof Error && last.cause instanceof Error) last = last.cause;
  return (last instanceof Error ? last.message : String(last)).replace(/\.$/, '');
}
