// The pages' examples for the library run as they stand, in a directory of their own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withTemporaryDirectory } from './temporaryRun.js';

// From build/test/coordinator to the project's root.
const root = new URL('../../../', import.meta.url);

/** Runs one of the blocks of code that import from 'lowerbound'; returns what it printed. */
async function run(page: string, change = (code: string): string => code, block = 0): Promise<string> {
  const text = await readFile(new URL(page, root), 'utf8');
  const blocks = [...text.matchAll(/^```js\n(import [^\n]* from 'lowerbound';\n.*?)^```$/gms)];
  const [, code] = blocks[block]!;
  return withTemporaryDirectory(async (directory) => {
    // The package finds itself by a folder of its name.
    const modules = join(directory, 'node_modules', 'lowerbound');
    await mkdir(modules, { recursive: true });
    const entry = fileURLToPath(new URL('dist/index.js', root));
    await writeFile(join(modules, 'package.json'), '{"type":"module","exports":"./index.js"}');
    await writeFile(join(modules, 'index.js'), `export * from ${JSON.stringify(entry)};\n`);
    const script = join(directory, 'example.mjs');
    await writeFile(script, change(code!));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: directory });
    return stdout;
  });
}

test('docs/data.md: the example of images in memory trains and evaluates', async () => {
  assert.match(await run('docs/data.md'), /^-\d+\.\d nats on stripes, its last 10 images\n$/);
});

test('docs/library.md: the example of hooks stops by itself', async () => {
  // On random bytes, which a model soon has learnt all of.
  const images = 'Uint8Array.from({ length: 64 * 60 }, (_, i) => (i * i * 7919) % 256)';
  const data = `data: { images: ${images}, height: 8, width: 8 }, learningRate: 0.05, pictures: false, workers: 1,`;
  const printed = await run('docs/library.md', (code) =>
    code.replace("model: 'mlp',", `model: 'mlp', ${data}`),
  );
  const epochs = [...printed.matchAll(/^epoch (\d+): (-?\d+\.\d\d) nats$/gm)];
  const last = Number(epochs.at(-1)![1]);
  assert.equal(last, epochs.length);
  assert.ok(last < 100);
  assert.match(printed, new RegExp(`\nstopped after step ${last}\n$`));
});

test('docs/library.md: the example of a posterior prints its moments and diagnostics', async () => {
  const images = 'Uint8Array.from({ length: 784 * 20 }, (_, i) => (i * i * 7919) % 256)';
  const data = `data: { images: ${images}, height: 28, width: 28 }`;
  const options = `{ model: 'mlp', latent: 2, out: 'runs/mlp-1', maxSteps: 1, batchSize: 8, pictures: false, ${data} }`;
  const trained = (code: string) =>
    code
      .replace('import { loadModel }', 'import { loadModel, train }')
      .replace('const { model }', `await train(${options});\nconst { model }`);
  const printed = await run('docs/library.md', trained, 1);
  assert.match(
    printed,
    /^Float64Array\(2\) \[.*\] Float64Array\(2\) \[.*\] 0\.\d+\n(\d+\.\d+ \d+\.?\d*\n){2}$/,
  );
});
