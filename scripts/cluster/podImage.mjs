// The root of a container, as examples/cluster/Containerfile makes it, without a container engine: Debian 12
// by debootstrap, the Node and npm of this machine in place of the base image's, and the steps of the file as
// they are written. Needs Linux, root and debootstrap.

import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { containerLine, must } from './pods.mjs';

const CONTAINERFILE = 'examples/cluster/Containerfile';

/** Makes the root in a new folder. Throws with the last lines of a step that fails. */
export function makeImage(root) {
  must('debootstrap', '--variant=minbase', 'bookworm', root);
  // Packages must not start services here; images of Debian have the same file.
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  must('chroot', root, 'groupadd', '--gid', '1000', 'node');
  must('chroot', root, 'useradd', '--uid', '1000', '--gid', 'node', '--shell', '/bin/bash', '-m', 'node');
  copyNode(root);
  for (const step of steps()) runStep(root, step);
}

function copyNode(root) {
  copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
  const modules = join(root, 'usr/local/lib/node_modules');
  mkdirSync(modules, { recursive: true });
  const npm = join(must('npm', 'root', '--global').trim(), 'npm');
  cpSync(npm, join(modules, 'npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
}

/** The steps of the file, in order: `{ word, rest, uid, folder }`. */
function steps() {
  const text = readFileSync(CONTAINERFILE, 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', '');
  const found = [];
  let state = { uid: 0, folder: '/' };
  for (const line of text.split('\n').filter((line) => line !== '')) {
    const [, word, rest] = /^(\w+) (.*)$/.exec(line);
    if (word === 'USER' && rest === 'node') state = { ...state, uid: 1000 };
    else if (word === 'WORKDIR') state = { ...state, folder: rest };
    else if (word === 'RUN' || word === 'COPY') found.push({ word, rest, ...state });
    else if (word !== 'FROM')
      throw new Error(`${CONTAINERFILE} has a step that this script does not know: ${line}`);
  }
  return found;
}

function runStep(root, { word, rest, uid, folder }) {
  console.log(`${word} ${rest}`);
  if (word === 'COPY') {
    const [, file, to] = /^--chown=node (lowerbound-\*\.tgz) (\.\/)$/.exec(rest);
    const target = join(root, folder, to);
    must('sh', '-c', `npm pack --pack-destination "$0" && chown 1000:1000 "$0"/${file}`, target);
    return;
  }
  // The network of this machine, which stays out of the image.
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  const prepare = ['cp /etc/resolv.conf "$root/etc/resolv.conf"'];
  const environment = {};
  if (certificates !== undefined) {
    environment.NODE_EXTRA_CA_CERTS = `/tmp/${basename(certificates)}`;
    prepare.push('mount -t tmpfs tmpfs "$root/tmp"', 'chmod 1777 "$root/tmp"');
    prepare.push(`install -m 644 '${certificates}' "$root/tmp"`);
  }
  must(...containerLine({ root, uid, folder, prepare, environment, command: ['/bin/sh', '-c', rest] }));
}
