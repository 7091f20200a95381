import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { type Workshop, work } from './workshop.js';

const COMPILERS = ['g++', 'clang++'];

/** Seconds. */
const COMPILE_LIMIT = 600;

/** The version of Node-API that tfjs-node looks for first on every Node that we support. */
const NAPI_VERSION = 8;

/**
 * The first C++ compiler that runs.
 * @throws UsageError where there is none.
 */
export async function findCompiler(workshop: Workshop): Promise<string> {
  for (const compiler of COMPILERS) {
    const done = await work(workshop, { program: compiler, args: ['--version'], timeLimit: 30 });
    if (done.kind === 'done') return compiler;
  }
  throw new UsageError(
    'To build tfjs-node a C++ compiler is needed, and there is neither g++ nor clang++. Install one (Debian, Ubuntu: ' +
      'apt install g++; Fedora, RHEL: dnf install gcc-c++; Arch: pacman -S gcc; openSUSE: zypper install gcc-c++), then ' +
      'try again. The backends simd, wasm and cpu need none.',
  );
}

/**
 * Compiles tfjs-node's binding against the library and the headers in its deps folder.
 * @param folder of the package @tensorflow/tfjs-node
 * @throws Error with what the compiler said.
 */
export async function compileBinding(workshop: Workshop, compiler: string, folder: string): Promise<void> {
  workshop.progress.begin('Compiling the binding');
  const output = join('lib', `napi-v${NAPI_VERSION}`);
  await mkdir(join(folder, output), { recursive: true });
  const sources = (await readdir(join(folder, 'binding'))).filter((name) => name.endsWith('.cc')).sort();
  const done = await work(workshop, {
    program: compiler,
    args: [
      ...['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NAPI_VERSION}`],
      ...[
        '-I',
        join('deps', 'include'),
        '-I',
        join(workshop.directory, 'node_modules', 'node-api-headers', 'include'),
      ],
      ...sources.map((name) => join('binding', name)),
      ...[
        '-o',
        join(output, 'tfjs_binding.node'),
        '-L',
        join('deps', 'lib'),
        '-ltensorflow',
        '-ltensorflow_framework',
      ],
      // The library lies beside, wherever the folder is moved; and it stays when the worker that has loaded
      // it ends, because its threads do.
      ...['-Wl,-rpath,$ORIGIN/../../deps/lib', '-Wl,-z,nodelete'],
    ],
    directory: folder,
    timeLimit: COMPILE_LIMIT,
  });
  if (done.kind === 'done') return;
  const reason = done.kind === 'failed' ? done.reason : 'it is gone';
  throw new Error(
    `${compiler} could not compile tfjs-node's binding: ${reason}. All it said is in ${workshop.log}.`,
  );
}
