import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommandLine } from '#src/cli/commandLine.js';

test('compare: what else than estimators is refused in a sentence', async () => {
  const written: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  try {
    assert.equal(await runCommandLine(['compare', 'layers', 'run']), 2);
  } finally {
    process.stderr.write = write;
  }
  assert.match(written.join(''), /WHAT takes estimators, not "layers": nothing else can be compared\./);
});
