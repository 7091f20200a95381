import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingPeers, requirePeers } from '#src/backends/tensorflow/peers.js';
import { UsageError } from '#src/errors.js';

test('a missing package is named with the command that installs all that the backend needs', () => {
  assert.throws(
    () => requirePeers('wasm', ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm']),
    new UsageError(
      'The wasm backend needs @tensorflow/tfjs-core and @tensorflow/tfjs-backend-wasm, not installed here. Install what ' +
        'it needs with "npm install @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 ' +
        '@tensorflow/tfjs-backend-wasm@4.22.0", or take the backend simd.',
    ),
  );
  requirePeers('cpu', []);
});

test('what is not installed is missing', () => {
  assert.deepEqual(missingPeers(['piscina', '@tensorflow/tfjs-of-another-world']), [
    '@tensorflow/tfjs-of-another-world',
  ]);
});
