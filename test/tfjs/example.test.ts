// The example of a user's LayersModel, run as its first lines say, on fewer images.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const example = fileURLToPath(new URL('../../../examples/tfjs-layers/train.mjs', import.meta.url));
const run = promisify(execFile);

test('a LayersModel learns MNIST by model.fit on wasm, where TensorFlow.js alone cannot', async () => {
  const { stdout } = await run(process.execPath, [example, '--images', '2000', '--epochs', '3']);
  const [stock, ...epochs] = stdout.trim().split('\n');
  assert.equal(
    stock,
    "TensorFlow.js 4.22.0 alone, on wasm: Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'",
  );
  // On a slow machine there are lines of progress between them.
  const tested = epochs.flatMap((line) => {
    const accuracy = /^epoch \d\/3: .*, test ([\d.]+) %, /.exec(line)?.[1];
    return accuracy === undefined ? [] : [Number(accuracy)];
  });
  assert.equal(tested.length, 3);
  // Guesses among ten classes are right for 10 % ± 0.7 % of 2,000 images.
  assert.ok(tested[2]! > 50, stdout);
});

test('it says how it is used', async () => {
  const { stdout } = await run(process.execPath, [example, '--help']);
  assert.match(stdout, /--epochs 3.*--images 60000.*--batch-size 128/);
});
