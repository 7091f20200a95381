import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import { findNative, loadNative, loadNativeFrom } from '#src/backends/tensorflow/native.js';
import { ATTRIBUTES } from '#src/backends/tensorflow/nativeAttributes.js';
import { nativeDirectory } from '#src/backends/tensorflow/nativeDirectory.js';
import { temporaryDirectory } from '../runs/temporaryDirectory.js';

const directory = temporaryDirectory();
const firstOperations = fileURLToPath(new URL('firstOperations.js', import.meta.url));

/** A package that stands for tfjs-node, in the node_modules of `folder`. */
function install(folder: string, code: string, binding = true): string {
  const path = join(folder, 'node_modules/@tensorflow/tfjs-node');
  mkdirSync(join(path, 'lib/napi-v8'), { recursive: true });
  writeFileSync(join(path, 'package.json'), '{"main": "main.js"}');
  writeFileSync(join(path, 'main.js'), code);
  if (binding) writeFileSync(join(path, 'lib/napi-v8/tfjs_binding.node'), '');
  return path;
}

describe('tfjs-node is looked for', () => {
  const user = join(directory, 'user');
  const setup = join(directory, 'setup');
  const inUser = install(user, '');
  const inSetup = install(setup, '');
  const places = {
    projects: [join(user, 'deep/below'), join(directory, 'none')],
    directory: setup,
    chosen: false,
  };

  it("in the user's project first, from its folders upwards", () => {
    assert.equal(findNative(places), inUser);
  });

  it('then in the folder of the set-up', () => {
    assert.equal(findNative({ ...places, projects: [join(directory, 'none')] }), inSetup);
  });

  it('nowhere else, where the user has named a folder', () => {
    assert.equal(findNative({ ...places, chosen: true }), inSetup);
    assert.equal(findNative({ ...places, chosen: true, directory: join(directory, 'none') }), undefined);
  });

  it('and passed over where its install script has failed: without a binding', () => {
    const broken = join(directory, 'broken');
    install(broken, '', false);
    assert.equal(findNative({ ...places, projects: [broken] }), inSetup);
  });
});

describe('tfjs-node is loaded', () => {
  it('with what newer Nodes no longer have in util', () => {
    const path = install(
      join(directory, 'loaded'),
      `const util = require('util');
       exports.answers = [util.isNullOrUndefined(null), util.isNullOrUndefined(0), util.isArray([])];`,
    );
    assert.deepEqual((loadNativeFrom(path) as unknown as { answers: unknown }).answers, [true, false, true]);
    assert.equal((util as { isArray?: unknown }).isArray, Array.isArray);
  });

  it('or is absent, and says how to install it', (t) => {
    const before = process.env.LOWERBOUND_NATIVE_DIR;
    t.after(() => {
      if (before === undefined) delete process.env.LOWERBOUND_NATIVE_DIR;
      else process.env.LOWERBOUND_NATIVE_DIR = before;
    });
    process.env.LOWERBOUND_NATIVE_DIR = join(directory, 'none');
    assert.throws(loadNative, {
      name: 'UsageError',
      message:
        'The native backend needs @tensorflow/tfjs-node, and there is none with its binding in ' +
        `${join(directory, 'none')}, which LOWERBOUND_NATIVE_DIR names. Install it with "npx lowerbound setup native", ` +
        'or take the backend simd, wasm or cpu.',
    });
  });

  it('or does not load, and says why', () => {
    const path = install(join(directory, 'failing'), 'throw new Error("libtensorflow.so.2: no such file.");');
    assert.throws(() => loadNativeFrom(path), {
      name: 'UsageError',
      message:
        `The native backend's @tensorflow/tfjs-node in ${path} does not load: libtensorflow.so.2: no such file. Build it ` +
        'again with "npx lowerbound setup native --force", or take another backend.',
    });
  });
});

const installed = findNative();

describe("tfjs-node's attributes", {
  skip: installed === undefined && 'tfjs-node is not installed: run "node dist/cli/main.js setup native"',
}, () => {
  it('are all named before threads meet them', () => {
    const dist = join(installed!, 'dist');
    const kernels = readdirSync(join(dist, 'kernels')).filter((name) => name.endsWith('.js'));
    const files = [...kernels.map((name) => join('kernels', name)), 'nodejs_kernel_backend.js'];
    const names = files.flatMap((file) => {
      const code = readFileSync(join(dist, file), 'utf8');
      const types = code.matchAll(/createTensorsTypeOpAttr\)?\('(\w+)'/g);
      const others = code.matchAll(/\bname: *'(\w+)',\s*type:/g);
      return [...types, ...others].map(([, name]) => name!);
    });
    assert.deepEqual([...ATTRIBUTES].sort(), [...new Set(names)].sort());
  });

  it('are met by four threads at once', () => {
    // Without the names before, 25 of 142 such processes crashed or lost an attribute: more on a busy
    // machine.
    const { status, stderr } = spawnSync(process.execPath, [firstOperations], { encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  });
});

describe('the folder of the set-up', () => {
  const home = '/home/user';
  const cases: readonly (readonly [string, Parameters<typeof nativeDirectory>[0], string])[] = [
    ['on Linux', { env: {}, platform: 'linux', home }, '/home/user/.local/share/lowerbound/tfjs-node-4.22.0'],
    [
      'with XDG_DATA_HOME',
      { env: { XDG_DATA_HOME: '/data' }, platform: 'linux', home },
      '/data/lowerbound/tfjs-node-4.22.0',
    ],
    [
      'with a relative XDG_DATA_HOME, which the specification has ignored',
      { env: { XDG_DATA_HOME: 'data' }, platform: 'linux', home },
      '/home/user/.local/share/lowerbound/tfjs-node-4.22.0',
    ],
    [
      'on macOS',
      { env: {}, platform: 'darwin', home },
      '/home/user/Library/Application Support/lowerbound/tfjs-node-4.22.0',
    ],
    [
      'with LOWERBOUND_NATIVE_DIR',
      { env: { LOWERBOUND_NATIVE_DIR: '/opt/native' }, platform: 'linux', home },
      '/opt/native',
    ],
    [
      'with an empty LOWERBOUND_NATIVE_DIR',
      { env: { LOWERBOUND_NATIVE_DIR: '' }, platform: 'linux', home },
      '/home/user/.local/share/lowerbound/tfjs-node-4.22.0',
    ],
  ];
  for (const [name, surroundings, expected] of cases) {
    it(name, () => assert.equal(nativeDirectory(surroundings), expected));
  }

  it('is named in the help', async () => {
    const { setupCommand } = await import('#src/cli/setup.js');
    const linux = nativeDirectory({ env: {}, platform: 'linux', home: '~' });
    const shown = setupCommand.flags.directory!.default;
    assert.ok(shown.includes(`a folder in ${dirname(linux)}`), shown);
  });
});
