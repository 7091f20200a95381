// Pods without Kubernetes, as the MPI operator makes them of examples/cluster/mpijob.yaml: a launcher and
// workers in namespaces of their own for network, mounts, processes and host name. They share a folder as the
// volume `runs`. Names come from /etc/hosts in place of DNS.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const JOB = 'lowerbound';
const SWITCH = `lb${process.pid}switch`;

/** The mounts that a container has, then what is to be prepared, then the command. */
const CONTAINER = `
set -e
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o nosuid,mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=64m tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
`;

/** The Secret has no defaultMode where it is not mounted for root; fsGroup gives the group. */
const SECRET = `
secret="$root/home/node/.ssh"
mkdir -p "$secret" "$root/etc/mpi"
mount -t tmpfs -o mode=3777,gid=1000 tmpfs "$secret"
cp "$state/key" "$secret/id_rsa"
cp "$state/key.pub" "$secret/id_rsa.pub"
cp "$state/key.pub" "$secret/authorized_keys"
chown 0:1000 "$secret"/*
chmod 644 "$secret"/*
mount -o remount,ro "$secret"
`;

/** What the operator gives the launcher (newLauncherPodTemplate in its source). */
const LAUNCHER_ENVIRONMENT = {
  OMPI_MCA_orte_keep_fqdn_hostnames: 'true',
  OMPI_MCA_orte_default_hostfile: '/etc/mpi/hostfile',
  OMPI_MCA_plm_rsh_args: '-o ConnectionAttempts=10',
  OMPI_MCA_orte_set_default_slots: '1',
};

/** The command line that runs `command` in a container of the root, as a user, in a folder. */
export function containerLine({ root, uid, folder, prepare = [], environment = {}, command }) {
  const variables = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: uid === 0 ? '/root' : '/home/node',
    ...environment,
  };
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const user = ['chroot', `--userspec=${uid}:${uid}`, `--groups=${uid}`, root];
  const enter = ['env', '-i', ...settings, ...user, '/bin/sh', '-c', `cd ${folder} && exec "$@"`, 'sh'];
  const script = `root='${root}'\n${CONTAINER}${prepare.join('\n')}\nexec "$@"`;
  const spaces = ['unshare', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
  return [...spaces, 'sh', '-c', script, 'sh', ...enter, ...command];
}

export class Pods {
  #image;
  #folder;
  #names;

  /** @param image the root that all containers begin with. @param folder gets `runs` and the containers. */
  constructor(image, folder, workers) {
    this.#image = image;
    this.#folder = folder;
    this.#names = ['launcher', ...Array.from({ length: workers }, (_, index) => `worker-${index}`)];
    this.runs = join(folder, 'runs');
  }

  make() {
    mkdirSync(this.runs, { recursive: true });
    must('chown', '1000:1000', this.runs);
    const key = join(this.#folder, 'key');
    must('ssh-keygen', '-q', '-t', 'ecdsa', '-b', '521', '-m', 'PEM', '-N', '', '-C', '', '-f', key);
    const full = (name) => `${JOB}-${name}.${JOB}.default.svc`;
    const lines = this.#names.map((name) => `${this.#address(name)} ${full(name)} ${JOB}-${name}\n`);
    writeFileSync(join(this.#folder, 'hosts'), `127.0.0.1 localhost\n${lines.join('')}`);
    const hostfile = this.#names.slice(1).map((name) => `${full(name)} slots=1\n`);
    writeFileSync(join(this.#folder, 'hostfile'), hostfile.join(''));
    must('ip', 'netns', 'add', SWITCH);
    must('ip', '-n', SWITCH, 'link', 'add', 'name', 'switch0', 'type', 'bridge');
    must('ip', '-n', SWITCH, 'link', 'set', 'switch0', 'up');
    for (const name of this.#names) this.#connect(name);
    for (const name of this.#names.slice(1)) this.startWorker(name);
  }

  #address = (name) => `10.78.77.${10 + this.#names.indexOf(name)}`;
  #space = (name) => `lb${process.pid}${name}`;

  #connect(name) {
    const space = this.#space(name);
    must('ip', 'netns', 'add', space);
    must('ip', 'link', 'add', 'eth0', 'netns', space, 'type', 'veth', 'peer', 'name', name, 'netns', SWITCH);
    must('ip', '-n', SWITCH, 'link', 'set', name, 'master', 'switch0', 'up');
    must('ip', '-n', space, 'addr', 'add', `${this.#address(name)}/24`, 'dev', 'eth0');
    for (const link of ['eth0', 'lo']) must('ip', '-n', space, 'link', 'set', link, 'up');
  }

  /** Cuts the link of a pod, or mends it. */
  setLink(name, up) {
    must('ip', '-n', SWITCH, 'link', 'set', name, up ? 'up' : 'down');
  }

  /** The command of the workers in mpijob.yaml. */
  startWorker(name) {
    this.#start(name, { K_MPI_JOB_ROLE: 'worker' }, [
      '/usr/sbin/sshd',
      '-De',
      '-f',
      '/home/node/sshd_config',
    ]);
  }

  /** Starts the launcher in a new container; settles with `{ code, text }`, its exit code and output. */
  launch(script) {
    const environment = { K_MPI_JOB_ROLE: 'launcher', ...LAUNCHER_ENVIRONMENT };
    return this.#start('launcher', environment, ['bash', '-c', script]);
  }

  #start(name, environment, command) {
    const layers = join(this.#folder, name);
    const root = join(layers, 'root');
    rmSync(layers, { recursive: true, force: true });
    for (const layer of ['upper', 'work', 'root']) mkdirSync(join(layers, layer), { recursive: true });
    const overlay = `lowerdir=${this.#image},upperdir=${layers}/upper,workdir=${layers}/work`;
    const prepare = [
      `state='${this.#folder}'\n${SECRET}`,
      `hostname ${JOB}-${name}\ncp "$state/hosts" "$root/etc/hosts"\n: > "$root/etc/resolv.conf"`,
      `cp "$state/hostfile" "$root/etc/mpi"\nmkdir -p "$root/runs"\nmount --bind '${this.runs}' "$root/runs"`,
    ];
    const line = containerLine({ root, uid: 1000, folder: '/home/node', prepare, environment, command });
    const mounted = `mount --make-rprivate /; mount -t overlay -o ${overlay} overlay ${root}; exec "$@"`;
    const words = [
      'netns',
      'exec',
      this.#space(name),
      'unshare',
      '--mount',
      'sh',
      '-c',
      mounted,
      'sh',
      ...line,
    ];
    const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
    return new Promise((settle) => child.on('close', (code) => settle({ code, text })));
  }

  /** The processes of a pod whose command line begins with these words; the pod's first one has no words. */
  signal(name, signal, words) {
    const ids = must('ip', 'netns', 'pids', this.#space(name)).split('\n').filter(Boolean);
    const meant = ids.filter((id) => {
      const line = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const first = /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${id}/status`, 'utf8'));
      return words === undefined ? first : line.startsWith(words);
    });
    if (meant.length !== 1) throw new Error(`${name} has ${meant.length} such processes, not one`);
    process.kill(Number(meant[0]), signal);
  }

  /** Ends whatever runs in the pods: the end of the first process of each ends all of it. */
  close() {
    for (const name of this.#names) {
      const { status, stdout } = spawnSync('ip', ['netns', 'pids', this.#space(name)], { encoding: 'utf8' });
      if (status === 0 && stdout !== '') spawnSync('kill', ['-9', ...stdout.split('\n').filter(Boolean)]);
    }
    for (const space of [...this.#names.map(this.#space), SWITCH]) {
      spawnSync('ip', ['netns', 'del', space]);
    }
  }
}

/** What a program says on standard output. Throws with the last lines of all it said where it fails. */
export function must(program, ...args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return stdout;
  const said = error?.message ?? `${stdout}${stderr}`.split('\n').slice(-15).join('\n');
  throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${said}`);
}
