import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import binaryen from 'binaryen';

/**
 * Vector constants other than zero and all ones in loops of a module's text: V8 since Turboshaft builds them
 * in every round.
 */
function constantsInLoops(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  for (const line of text.split('\n')) {
    // One bracket more or less on a line: the text is nested, an expression on each line.
    if (depth > 0) depth += (line.match(/\(/g) ?? []).length - (line.match(/\)/g) ?? []).length;
    else if (line.includes('(loop ')) depth = 1;
    const constant = /v128\.const i32x4 (0x\w{8}) (0x\w{8}) (0x\w{8}) (0x\w{8})/.exec(line);
    const cheap = constant?.slice(1).every((word) => word === '0x00000000' || word === '0xffffffff');
    if (depth > 0 && constant !== null && !cheap) found.push(line.trim());
  }
  return found;
}

test('a constant inside a loop is seen', () => {
  const wat = `(module (func $f (param i32) (loop $l (drop (v128.const i32x4 1 2 3 4)) (br_if $l (local.get 0)))))`;
  const module = binaryen.parseText(wat);
  assert.equal(constantsInLoops(module.emitText()).length, 1);
});

for (const name of ['portable', 'fused', 'portable-unshared', 'fused-unshared']) {
  test(`no loop of ${name}.wasm builds a vector constant`, () => {
    const binary = readFileSync(new URL(`../../../dist/kernels/${name}.wasm`, import.meta.url));
    const module = binaryen.readBinary(binary);
    assert.deepEqual(constantsInLoops(module.emitText()), []);
  });
}
