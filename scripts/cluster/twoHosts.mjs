// Two hosts on one machine: network namespaces with names, addresses and host names of their own, and a veth
// pair between them, whose counters tell what crosses it. Needs Linux, root and iproute2. A launcher starts
// processes on the other host by a script in place of ssh, which has the arguments of ssh.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The interface of each host; namespaces may have one of the same name. */
export const INTERFACE = 'link0';
export const SUBNET = '10.77.0.0/24';
const ADDRESSES = ['10.77.0.1', '10.77.0.2'];

/** Makes a command run on a host: options of ssh are passed over, then come the host and the command. */
const AGENT = `#!/bin/sh
while [ "\${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*"
`;

/** Two hosts, or `{ missing }`: why there are none. They are there until `close`. */
export function makeHosts() {
  const missing = lacking();
  if (missing !== undefined) return { missing };
  const hosts = new TwoHosts();
  try {
    hosts.make();
    return hosts;
  } catch (error) {
    hosts.close();
    return { missing: `two hosts could not be made: ${error.message}` };
  }
}

function lacking() {
  if (process.platform !== 'linux') return 'network namespaces are Linux';
  if (process.getuid() !== 0) return 'network namespaces need root';
  const tools = [
    ['ip', ['-V']],
    ['unshare', ['--version']],
  ];
  const absent = tools.find(([program, args]) => spawnSync(program, args).status !== 0);
  return absent && `two hosts need the program ${absent[0]}`;
}

class TwoHosts {
  /** Their names. */
  names = ['a', 'b'].map((letter) => `lb${process.pid}${letter}`);
  /** The script that stands for ssh. */
  agent;
  #folder = mkdtempSync(join(tmpdir(), 'lowerbound-hosts-'));

  make() {
    this.agent = join(this.#folder, 'agent.sh');
    writeFileSync(this.agent, AGENT, { mode: 0o755 });
    const lines = this.names.map((name, index) => `${ADDRESSES[index]} ${name}\n`);
    for (const name of this.names) {
      ip('netns', 'add', name);
      // `ip netns exec` lays these files over those of /etc.
      mkdirSync(`/etc/netns/${name}`, { recursive: true });
      writeFileSync(`/etc/netns/${name}/hosts`, `127.0.0.1 localhost\n${lines.join('')}`);
    }
    const [first, second] = this.names;
    const peer = ['peer', 'name', INTERFACE, 'netns', second];
    ip('link', 'add', INTERFACE, 'netns', first, 'type', 'veth', ...peer);
    for (const [index, name] of this.names.entries()) {
      ip('-n', name, 'addr', 'add', `${ADDRESSES[index]}/24`, 'dev', INTERFACE);
      ip('-n', name, 'link', 'set', INTERFACE, 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
  }

  /** The command line that runs another one on the first host, which has the launcher. */
  onFirst(command) {
    const [host] = this.names;
    const script = `hostname ${host}; exec "$@"`;
    return ['ip', 'netns', 'exec', host, 'unshare', '--uts', 'sh', '-c', script, 'sh', ...command];
  }

  /** Bytes that each host has sent over the link so far, headers of Ethernet, IP and TCP included. */
  sentBytes() {
    return this.names.map((name) => {
      const [link] = JSON.parse(ip('-n', name, '-s', '-j', 'link', 'show', INTERFACE));
      return link.stats64.tx.bytes;
    });
  }

  /** Cuts the link, or mends it. */
  setLink(up) {
    ip('-n', this.names[0], 'link', 'set', INTERFACE, up ? 'up' : 'down');
  }

  /** How often TCP sends again what nobody acknowledges, before a connection counts as dead. */
  setRetries(count) {
    for (const name of this.names) {
      ip('netns', 'exec', name, 'sh', '-c', `echo ${count} > /proc/sys/net/ipv4/tcp_retries2`);
    }
  }

  close() {
    for (const name of this.names) {
      spawnSync('ip', ['netns', 'del', name]);
      rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function ip(...args) {
  const { status, stdout, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}
