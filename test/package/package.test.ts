// Needs the registry, or npm's cache. NETWORK=required (in .ci/run) makes it a failure to have neither.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { run, succeed } from './command.js';
import {
  type InstalledProject,
  installProject,
  linkPackage,
  ROOT,
  readmeSnippet,
} from './installedProject.js';

const installed = await installProject();
const skip = typeof installed === 'string' && installed;
const project = installed as InstalledProject;
if (!skip) after(project.remove);

const GOLDEN = JSON.parse(readFileSync(join(ROOT, 'test/coordinator/golden.json'), 'utf8')) as {
  readonly portable: { readonly mlp: string };
};

function write(name: string, text: string): string {
  writeFileSync(join(project.directory, name), text);
  return name;
}

function program(packageName: string, command: string): string {
  const manifest = join(ROOT, 'node_modules', packageName, 'package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: string | Record<string, string> };
  return join(manifest, '..', typeof bin === 'string' ? bin : bin[command]!);
}

describe('the tarball', { skip }, () => {
  it('has what it needs, and no source map, picture or script that would run where it is installed', () => {
    for (const file of ['dist/index.js', 'dist/kernels/fused-unshared.wasm', 'docs/models.md', 'LICENSE']) {
      assert.ok(project.files.includes(file), file);
    }
    assert.deepEqual(
      project.files.filter((file) => /\.map$|\.png$|\.ts$(?<!\.d\.ts)/.test(file)),
      [],
    );
    for (const file of project.files.filter((name) => name.endsWith('.js'))) {
      const text = readFileSync(join(project.directory, 'node_modules/lowerbound', file), 'utf8');
      assert.doesNotMatch(text, /sourceMappingURL/, file);
    }
    const { scripts } = JSON.parse(
      readFileSync(join(project.directory, 'node_modules/lowerbound/package.json'), 'utf8'),
    ) as { scripts: Record<string, string> };
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
      assert.equal(scripts[script], undefined, script);
    }
  });

  it('has the JSON schemas, by the names that its exports give them', async () => {
    const script = `
      import { createRequire } from 'node:module';
      const schema = (name) => createRequire(import.meta.url)('lowerbound/' + name + '.schema.json');
      console.log(JSON.stringify(['model', 'config'].map((name) => [schema(name).$schema, schema(name).title])));\n`;
    const output = await succeed(process.execPath, [write('schemas.mjs', script)], project.directory);
    const draft = 'https://json-schema.org/draft/2020-12/schema';
    assert.deepEqual(JSON.parse(output), [
      [draft, 'A model of lowerbound'],
      [draft, 'config.json of a run of lowerbound'],
    ]);
  });

  it('installs without a warning about it', () => {
    assert.doesNotMatch(project.installation, /lowerbound@/);
    // Newer npm names packages with install scripts, and does not run them. koffi needs none: see below.
    const named = project.installation.matchAll(/install-scripts +(\S+)@\S+ \(install/g);
    assert.deepEqual(
      [...named].map(([, name]) => name).filter((name) => name !== 'koffi'),
      [],
    );
  });

  it('has a koffi that works', async () => {
    const script = `
      import koffi from 'koffi';
      console.log(koffi.load(null).func('abs', 'int', ['int'])(-3));\n`;
    assert.equal(await succeed(process.execPath, [write('koffi.mjs', script)], project.directory), '3\n');
  });

  it('passes publint', async () => {
    await succeed(process.execPath, [program('publint', 'publint'), project.tarball, '--strict'], ROOT);
  });

  it('passes @arethetypeswrong/cli, as a package of ES modules alone', async () => {
    const attw = program('@arethetypeswrong/cli', 'attw');
    await succeed(process.execPath, [attw, project.tarball, '--profile', 'esm-only'], ROOT);
  });
});

describe('in a project that has installed it', { skip }, () => {
  it("the README's snippet runs as it stands", { timeout: 300_000 }, async () => {
    const script = `${readmeSnippet('lowerbound')}
      console.log(JSON.stringify({ digits: digits.length, finite: elbo.every(Number.isFinite), count: elbo.length }));\n`;
    const output = await succeed(process.execPath, [write('snippet.mjs', script)], project.directory);
    assert.deepEqual(JSON.parse(output), { digits: 16 * 784, finite: true, count: 16 });
  });

  it('`require` loads it, and trains to the bits of record', async () => {
    // A warning of Node 20 to 22 says that this is experimental there.
    const script = `const { train } = require('lowerbound');
      train({ model: 'mlp', arithmetic: 'portable', maxSteps: 25, pictures: false, workers: 2, out: 'runs/required' })
        .then(({ parametersSha256 }) => console.log(parametersSha256));\n`;
    const output = await succeed(process.execPath, [write('required.cjs', script)], project.directory);
    assert.equal(output.trim(), GOLDEN.portable.mlp);
  });

  it('the command trains', async () => {
    const command = join(project.directory, 'node_modules/.bin/lowerbound');
    const flags = ['--model', 'mlp', '--max-steps', '2', '--no-pictures', '--out', 'runs/command'];
    assert.match(
      await succeed(command, ['train', ...flags], project.directory),
      /^SHA-256 {6}[0-9a-f]{64}$/m,
    );
  });
});

const STRICT = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
const TARGET = ['--target', 'es2022', '--typeRoots', join(ROOT, 'node_modules/@types')];

const RESOLUTIONS = {
  nodenext: ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
} as const;

/** Types that the project includes, as tsc takes them. */
const NODE_TYPES = { 'without @types/node': '', 'with @types/node': 'node' } as const;

/**
 * `lowerbound/tfjs-wasm` to a project that has no TensorFlow.js: what is handed in is checked by structure.
 */
const TFJS_ENTRY = `import { type PlatformOptions, registerTrainingKernels, type TensorFlow } from 'lowerbound/tfjs-wasm';
declare const tf: TensorFlow;
const options: PlatformOptions = { arithmetic: 'portable' };
export const warnings: readonly string[] = registerTrainingKernels(tf, options);\n`;

const ABORT = `import { train } from 'lowerbound';
await train({ signal: new AbortController().signal });
await train({ signal: AbortSignal.timeout(1000) });\n`;

async function compilerErrors(flags: readonly string[], files: readonly string[]): Promise<string> {
  const tsc = program('typescript', 'tsc');
  const { code, stdout, stderr } = await run(
    process.execPath,
    [tsc, ...STRICT, ...TARGET, ...flags, ...files],
    project.directory,
  );
  assert.equal(stderr, '');
  assert.equal(code === 0, stdout === '');
  return stdout;
}

describe('a strict TypeScript project compiles', { skip }, () => {
  for (const [resolution, flags] of Object.entries(RESOLUTIONS)) {
    for (const [title, types] of Object.entries(NODE_TYPES)) {
      const lib = ['--lib', 'es2023', '--types', types, '--skipLibCheck', 'false'];
      it(`the README's snippet and both entries, checking declarations too (${resolution}, ${title})`, async () => {
        const files = [
          write(
            'snippet.ts',
            `${readmeSnippet('lowerbound')}export const first: number | undefined = elbo[0];\n`,
          ),
          write('entry.ts', TFJS_ENTRY),
        ];
        if (types !== '') files.push(write('abort.ts', ABORT));
        assert.equal(await compilerErrors([...flags, ...lib], files), '');
      });
    }

    it(`an AbortSignal of the DOM library (${resolution})`, async () => {
      const lib = ['--lib', 'es2023,dom', '--types', '', '--skipLibCheck', 'false'];
      assert.equal(await compilerErrors([...flags, ...lib], [write('abort.ts', ABORT)]), '');
    });

    it(`the README's snippet for TensorFlow.js, and a mistake in it is found (${resolution})`, async () => {
      for (const name of ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'])
        linkPackage(project, name);
      const before = `import '@tensorflow/tfjs-backend-wasm';\nimport * as tf from '@tensorflow/tfjs-core';\n`;
      const snippet = `${before}${readmeSnippet('lowerbound/tfjs-wasm')}`;
      // Its own declarations have errors with skipLibCheck off, whatever the libraries.
      const lib = ['--lib', 'es2023,dom', '--types', '', '--skipLibCheck', 'true'];
      const right = await compilerErrors([...flags, ...lib], [write('tfjs.ts', snippet)]);
      assert.equal(right, '');
      const wrong = await compilerErrors(
        [...flags, ...lib],
        [write('mistake.ts', snippet.replace('(tf)', '(tf, { arithmetic: 1 })'))],
      );
      assert.match(wrong, /^mistake\.ts\(\d+,\d+\): error TS2322/);
    });
  }
});
