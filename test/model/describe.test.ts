import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeModel } from '#src/model/describe.js';
import { resolveModel } from '#src/model/resolve.js';

test('describeModel: a line a layer, and the totals', () => {
  const model = resolveModel({
    name: 'tiny',
    input: [8, 6, 1],
    latent: 2,
    encoder: [
      { type: 'conv2d', filters: 16, kernel: [3, 2], strides: [2, 1], activation: 'relu' },
      { type: 'flatten' },
      { type: 'dense', units: 'posterior' },
    ],
    decoder: [{ type: 'dense', units: 'pixels', name: 'logits' }],
  });
  assert.deepEqual(describeModel(model).split('\n'), [
    'Model tiny: x [8, 6, 1] (D = 48), z [2]',
    '',
    'Layer      Type             Output    Parameters   MACs',
    '---------  ---------------  --------  ----------  -----',
    'encoder',
    '  conv2d   conv2d 3x2 /2x1  [3,5,16]         112  1,440',
    '    relu                    [3,5,16]',
    '  flatten  reshape          [240]',
    '  dense    dense            [4]              964    960',
    'decoder',
    '  logits   dense            [48]             144     96',
    '',
    'Parameters: 1,220 (encoder 1,076, decoder 144), 4,880 bytes',
    'MACs: multiply-adds forward, per example; 2,496 in all',
  ]);
});
