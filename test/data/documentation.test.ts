import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadDataset } from '#src/data/registry.js';
import { temporaryDirectory } from './idxFiles.js';

// From build/test/data to the project's root.
const page = readFileSync(new URL('../../../docs/data.md', import.meta.url), 'utf8');

test('docs/data.md: what its JavaScript writes is read', async () => {
  const [, code] = /^```js\n(.*?)^```$/ms.exec(page)!;
  const url = `data:text/javascript,${encodeURIComponent(`${code}\nexport { writeIdx };`)}`;
  const { writeIdx } = (await import(url)) as {
    writeIdx: (path: string, shape: readonly number[], bytes: Uint8Array) => void;
  };
  const directory = temporaryDirectory();
  const bytes = Uint8Array.from({ length: 300 * 2 * 3 * 3 }, (_, i) => i);
  writeIdx(join(directory, 'train-images-idx4-ubyte'), [300, 2, 3, 3], bytes);
  writeIdx(join(directory, 't10k-images-idx4-ubyte'), [1, 2, 3, 3], bytes.subarray(0, 18));
  const { train } = loadDataset(directory);
  const { count, height, width, channels, pixels } = train;
  assert.deepEqual(
    { count, height, width, channels, pixels },
    { count: 300, height: 2, width: 3, channels: 3, pixels: bytes },
  );
});
