import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { loadModelSpec } from '#src/model/load.js';
import type { MapShape } from '#src/model/model.js';
import { presetSpec } from '#src/model/presets.js';
import { readModelSpecFile } from '#src/model/specFile.js';

const mnist: MapShape = [28, 28, 1];

const valid = {
  name: 'mine',
  latent: 2,
  encoder: [{ type: 'flatten' }, { type: 'dense', units: 'posterior' }],
  decoder: [{ type: 'dense', units: 'pixels' }],
};

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lowerbound-model-'));
});
after(() => rm(directory, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

test('a file', async () => {
  const path = await write('valid.json', JSON.stringify(valid));
  assert.deepEqual(await readModelSpecFile(path), valid);
  assert.deepEqual(await loadModelSpec(path, mnist), valid);
  // As some editors write it.
  assert.deepEqual(await readModelSpecFile(await write('bom.json', `\uFEFF${JSON.stringify(valid)}`)), valid);
  assert.deepEqual(await loadModelSpec('mlp', mnist), presetSpec('mlp', mnist));
  await assert.rejects(
    loadModelSpec('mpl', mnist),
    /^UsageError: There is no model preset "mpl"; did you mean "mlp"/,
  );
});

test('a file that is no model: the message names the file and the place', async () => {
  const path = await write('wrong.json', JSON.stringify({ ...valid, latent: 'two' }));
  await assert.rejects(
    readModelSpecFile(path),
    new UsageError(`${path}: latent is "two", expected a positive integer.`),
  );
});

test('a file that cannot be read', async () => {
  const missing = join(directory, 'missing.json');
  await assert.rejects(readModelSpecFile(missing), (error: Error) => {
    assert.ok(error instanceof UsageError);
    assert.ok(error.message.startsWith(`Cannot read the model file ${missing}: ENOENT`), error.message);
    return true;
  });
  await assert.rejects(
    loadModelSpec(`${directory}/`, mnist),
    new UsageError(
      `The model file ${directory}/ is a directory, expected a file. Give the path of the file itself.`,
    ),
  );
});

test('a file that is no JSON', async () => {
  const path = await write('broken.json', '{"name": }');
  await assert.rejects(readModelSpecFile(path), (error: Error) => {
    assert.ok(error instanceof UsageError);
    assert.ok(error.message.startsWith(`${path} is not JSON: `), error.message);
    return true;
  });
  await assert.rejects(readModelSpecFile(await write('empty.json', '')), /^UsageError: .* is not JSON: /);
  const binary = await write('binary.json', Uint8Array.of(0x7b, 0xff, 0xfe));
  await assert.rejects(
    readModelSpecFile(binary),
    new UsageError(`${binary} is not JSON: its bytes are not UTF-8 text.`),
  );
});

test('a file of more than 1 MiB, and one that fits exactly', async () => {
  const text = JSON.stringify(valid);
  const exact = await write('exact.json', text.padEnd(2 ** 20));
  assert.deepEqual(await readModelSpecFile(exact), valid);
  const large = await write('large.json', text.padEnd(2 ** 20 + 1));
  await assert.rejects(
    readModelSpecFile(large),
    new UsageError(
      `The model file ${large} is larger than 1048576 bytes; a model is a short list of layers.`,
    ),
  );
});

test('deeply nested JSON', async () => {
  const depth = 500_000;
  const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
  await assert.rejects(readModelSpecFile(await write('deep.json', nested)), UsageError);
  const inside = JSON.stringify({ ...valid, latent: 0 }).replace('0', nested);
  await assert.rejects(readModelSpecFile(await write('deep-inside.json', inside)), UsageError);
});

test('a key that stands twice in an object is refused, wherever it is', async () => {
  const twice = '{\n  "name": "mine",\n  "latent": 2,\n  "latent": 3\n}';
  const path = await write('twice.json', twice);
  await assert.rejects(
    readModelSpecFile(path),
    new UsageError(
      `${path}: the key "latent" stands twice in one object, at line 3, column 3 and at line 4, column 3, and which one ` +
        'counts would be a guess. Remove one of them.',
    ),
  );
  const inner = JSON.stringify(valid).replace('"units":"pixels"', '"units":3,"un\\u0069ts":"pixels"');
  await assert.rejects(
    readModelSpecFile(await write('twice-inside.json', inner)),
    /: the key "units" stands twice in one object, at line 1, column \d+ and at line 1, column \d+/,
  );
  // As text, in other objects, and deep inside what is then refused for other reasons.
  const name = await write('colon.json', JSON.stringify({ ...valid, name: 'a', '"name":': 1 }));
  await assert.rejects(readModelSpecFile(name), /has an unknown key "\\"name\\":"/);
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"a":1}`;
  await assert.rejects(readModelSpecFile(await write('twice-deep.json', deep)), /the key "a" stands twice/);
});

const onWindows = process.platform === 'win32';

test('a device', { skip: onWindows && 'has no /dev/zero' }, async () => {
  await assert.rejects(
    readModelSpecFile('/dev/zero'),
    new UsageError(
      'The model file /dev/zero is a device, expected a file. Give the path of the file itself.',
    ),
  );
});

function namedPipe(name: string): string {
  const path = join(directory, name);
  execFileSync('mkfifo', [path]);
  return path;
}

test('a pipe is read to its end', { skip: onWindows && 'has no mkfifo' }, async () => {
  const path = namedPipe('written.json');
  const model = readModelSpecFile(path);
  // In pieces, and by a writer who comes later.
  execFile('sh', [
    '-c',
    `{ sleep 0.1; printf %s "$1"; sleep 0.1; printf %s "$2"; } > "$0"`,
    path,
    ...halves(valid),
  ]);
  assert.deepEqual(await model, valid);
});

function halves(json: object): [string, string] {
  const text = JSON.stringify(json);
  return [text.slice(0, 20), text.slice(20)];
}

test('the wait for a pipe that nobody writes to ends with the signal', {
  skip: onWindows && 'has no mkfifo',
}, async () => {
  const controller = new AbortController();
  const model = readModelSpecFile(namedPipe('waiting.json'), controller.signal);
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 50);
  await assert.rejects(model, reason);
});

test('a pipe is not waited for where the signal has come before', {
  skip: onWindows && 'has no mkfifo',
  timeout: 5000,
}, async () => {
  const reason = new Error('enough');
  await assert.rejects(readModelSpecFile(namedPipe('late.json'), AbortSignal.abort(reason)), reason);
});

test('a pipe without an end', { skip: onWindows && 'has no mkfifo' }, async () => {
  const path = namedPipe('endless.json');
  const model = readModelSpecFile(path);
  execFile('sh', ['-c', 'cat /dev/zero > "$0"', path]);
  await assert.rejects(
    model,
    new UsageError(`The model file ${path} is larger than 1048576 bytes; a model is a short list of layers.`),
  );
});
