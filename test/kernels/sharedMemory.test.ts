import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { sharedMemory } from '#src/kernels/webAssembly.js';

test('a memory that the system does not give: a sentence with advice; any other error stays as it is', (context) => {
  assert.equal(sharedMemory(2).buffer.byteLength, 2 * 65536);
  for (const [message, expected] of [
    ['WebAssembly.Memory(): could not allocate memory', UsageError],
    ['of another kind', RangeError],
  ] as const) {
    const memory = context.mock.method(WebAssembly, 'Memory', function refuse() {
      throw new RangeError(message);
    });
    assert.throws(
      () => sharedMemory(2),
      (error) => error instanceof expected && error.message.startsWith(message),
    );
    memory.mock.restore();
  }
});
