// The set-up's own tests are in test/setup: here is what the command line adds.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './smallRun.js';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/**
 * Installs a package that says of itself which TensorFlow it has, and computes the gradients that are
 * checked.
 */
const NPM = `
  const { mkdirSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const folder = process.argv[process.argv.indexOf('--prefix') + 1] + '/node_modules/@tensorflow/tfjs-node';
  mkdirSync(folder, { recursive: true });
  writeFileSync(folder + '/package.json', '{"main": "main.js"}');
  writeFileSync(folder + '/main.js', \`
    const gradient = { dataSync: () => [25, 35, 25, 35, 49, 35, 25, 35, 25] };
    exports.ones = () => 1;
    exports.grads = () => () => [gradient, gradient];
    exports.backend = () => ({ binding: { TF_Version: process.env.TF_NUM_INTRAOP_THREADS + '.9' } });
  \`);
`;

const HANGING_NPM = 'console.error("started"); setTimeout(() => {}, 60_000);';

function runSetup(directory: string, npm: string, args: readonly string[], signal?: NodeJS.Signals) {
  const script = join(directory, 'npm-cli.js');
  writeFileSync(script, npm);
  const child = spawn(process.execPath, [main, 'setup', 'native', ...args], {
    cwd: directory,
    env: { ...process.env, npm_execpath: script, LOWERBOUND_NATIVE_DIR: '' },
    timeout: 60_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    // Once: a second signal may come when the process no longer listens, just before it ends by itself.
    if (signal !== undefined && !child.killed && /^Installing/.test(stdout)) child.kill(signal);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('lowerbound setup native', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  const folderOf = (name: string) => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  };

  it('says what it does, and in one sentence what it did; then that it is there', async () => {
    const folder = folderOf('good');
    const first = await runSetup(folder, NPM, ['--directory', 'native']);
    assert.deepEqual({ code: first.code, stderr: first.stderr }, { code: 0, stderr: '' });
    const lines = first.stdout.trim().split('\n');
    assert.deepEqual(lines.slice(0, -1), [
      'Installing @tensorflow/tfjs-node 4.22.0 and its packages …',
      "Trying the package's own download …",
      'Checking a gradient …',
    ]);
    const place = join(folder, 'native');
    const how = "(TensorFlow 1.9, with the package's own download)";
    const end = `and its gradients are right under Node ${process.versions.node}: to use it, set LOWERBOUND_NATIVE_DIR=${place} and give --backend native.`;
    assert.match(lines.at(-1)!, / in \d+ s, /);
    assert.equal(
      lines.at(-1)!.replace(/ in \d+ s, /, ', '),
      `tfjs-node is installed in ${place} ${how}, ${end}`,
    );
    const again = await runSetup(folder, '', ['--directory', 'native']);
    assert.equal(again.stdout, `Checking a gradient …\ntfjs-node is in ${place} already ${how}, ${end}\n`);
    const { seconds, ...json } = JSON.parse(
      (await runSetup(folder, '', ['--directory', 'native', '--json'])).stdout,
    );
    assert.equal(typeof seconds, 'number');
    assert.deepEqual(json, { directory: place, made: false, origin: 'script', tensorflow: '1.9' });
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`leaves nothing when ${signal} stops it`, async () => {
      const folder = folderOf(signal);
      const outcome = await runSetup(folder, HANGING_NPM, ['--directory', 'native'], signal);
      assert.deepEqual(outcome, {
        code,
        stdout:
          'Installing @tensorflow/tfjs-node 4.22.0 and its packages …\n' +
          'Stopping; nothing half-done will stay. Press Ctrl-C again to leave at once.\n',
        stderr: '',
      });
      assert.deepEqual(readdirSync(folder), ['npm-cli.js']);
    });
  }

  it('says why it failed, and where all that was said is', async () => {
    const folder = folderOf('bad');
    const npm = 'console.error("npm error code E404\\nnpm error 404 Not Found"); process.exitCode = 1;';
    const { code, stderr } = await runSetup(folder, npm, ['--directory', 'native', '--json']);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "npm could not install tfjs-node's packages: 404 Not Found. Check that npm reaches its registry, then try again; " +
        `all it said is in ${join(folder, 'native.log')}.\n`,
    );
    assert.match(
      readFileSync(join(folder, 'native.log'), 'utf8'),
      /^\$ .* ci --ignore-scripts .*\nnpm error code E404\n/,
    );
  });
});

/** What Node does where the package koffi is not installed. */
const WITHOUT_KOFFI = `
  const { Module } = require('node:module');
  const load = Module._load;
  Module._load = function (name, ...rest) {
    if (name === 'koffi') throw Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' });
    return load.call(this, name, ...rest);
  };
`;

describe('lowerbound setup mpi', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  const library = join(directory, 'libmpi.so.40');
  writeFileSync(library, 'no library');
  const setUpMpi = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'setup', 'mpi', ...args], {
      ...{ cwd: directory, env: { ...process.env, ...env }, encoding: 'utf8', timeout: 60_000 },
    });
    return { status, stdout, stderr };
  };

  it('says of a file that it is no library, and that none can be used', () => {
    const { status, stdout, stderr } = setUpMpi(['--mpi-library', library]);
    assert.deepEqual({ status, stderr }, { status: 1, stderr: '' });
    const [checking, why, end, ...rest] = stdout.split('\n');
    assert.deepEqual(rest, ['']);
    assert.equal(checking, `Checking ${library} …`);
    assert.ok(why!.startsWith(`${library} cannot be used: The library ${library} cannot be loaded: `), why);
    assert.equal(end, 'No MPI library of this machine can be used.');
  });

  it('says it to machines, too', () => {
    const { status, stdout } = setUpMpi(['--json', '--mpi-library', directory]);
    assert.equal(status, 1);
    const { libraries } = JSON.parse(stdout) as {
      libraries: { library: string; works: boolean; reason: string }[];
    };
    assert.deepEqual(
      libraries.map((found) => [found.library, found.works]),
      [[library, false]],
    );
  });

  it('says which package is missing where koffi could not be installed', () => {
    const preload = join(directory, 'withoutKoffi.cjs');
    writeFileSync(preload, WITHOUT_KOFFI);
    const { status, stdout } = setUpMpi(['--mpi-library', library], { NODE_OPTIONS: `--require ${preload}` });
    assert.equal(status, 1);
    const sentence =
      'MPI needs the package koffi, an optional dependency, and it cannot be loaded here. Install it beside this ' +
      'package: npm install koffi.';
    assert.equal(stdout.split('\n')[1], `${library} cannot be used: ${sentence}`);
  });
});
