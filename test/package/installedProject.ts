// The package as users get it: packed, and installed from its tarball in an empty project.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, succeed } from './command.js';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** npm's codes for a registry out of reach. */
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT/;

export interface InstalledProject {
  readonly directory: string;
  readonly tarball: string;
  /** Paths in the tarball, from the package's root. */
  readonly files: readonly string[];
  /** What npm wrote while it installed the tarball. */
  readonly installation: string;
  remove(): void;
}

/** @returns why not, where the registry is out of reach. With NETWORK=required that is an error. */
export async function installProject(): Promise<InstalledProject | string> {
  const directory = mkdtempSync(join(tmpdir(), 'lowerbound-package-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    const packed = await succeed('npm', ['pack', '--json', '--pack-destination', directory], ROOT);
    const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
    const tarball = join(directory, filename);
    writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }');
    const args = ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
    const { code, stdout, stderr } = await run('npm', args, directory);
    if (code !== 0) {
      if (OFFLINE.test(stderr) && process.env.NETWORK !== 'required') {
        remove();
        return 'the registry of npm is out of reach';
      }
      throw new Error(`npm ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    }
    const paths = files.map(({ path }) => path);
    return { directory, tarball, files: paths, installation: stdout + stderr, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Gives the project a package of the checkout's, as if it had installed it. */
export function linkPackage({ directory }: InstalledProject, name: string): void {
  const link = join(directory, 'node_modules', name);
  if (existsSync(link)) return;
  mkdirSync(join(link, '..'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), link, 'junction');
}

/** The README's block of code that imports an entry of the package. */
export function readmeSnippet(entry: string): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```[jt]s\n(.*?)^```$/gms)].map(([, block]) => block!);
  const found = blocks.find((block) => block.includes(`from '${entry}'`));
  if (found === undefined) throw new Error(`README.md has no block of code that imports '${entry}'.`);
  return found;
}
