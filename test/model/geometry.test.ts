import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { convolutionAxis, transposedConvolutionAxis } from '#src/model/geometry.js';

const size = fc.integer({ min: 1, max: 40 });
const kernel = fc.integer({ min: 1, max: 9 });
const stride = fc.integer({ min: 1, max: 6 });
const padding = fc.constantFrom('valid', 'same');

test('valid: as many windows as lie wholly on the map', () => {
  fc.assert(
    fc.property(size, kernel, stride, (n, k, s) => {
      let windows = 0;
      for (let start = 0; start + k <= n; start += s) windows++;
      const axis = convolutionAxis(n, k, s, 'valid');
      // The caller refuses a kernel larger than the map; there the formula may fall below zero.
      assert.deepEqual({ ...axis, small: Math.max(axis.small, 0) }, { big: n, small: windows, padBefore: 0 });
    }),
  );
});

test('same: a window for each stride begun on the map, and the least padding that they need, odd one after', () => {
  fc.assert(
    fc.property(size, kernel, stride, (n, k, s) => {
      let windows = 0;
      for (let start = 0; start < n; start += s) windows++;
      let before = 0;
      let after = 0;
      const fits = () => (windows - 1) * s + k <= before + n + after;
      while (!fits()) {
        if (after <= before) after++;
        else before++;
      }
      assert.deepEqual(convolutionAxis(n, k, s, 'same'), { big: n, small: windows, padBefore: before });
    }),
  );
});

test('conv2dTranspose is the adjoint: the convolution from its output back to its input has the same taps', () => {
  fc.assert(
    fc.property(size, kernel, stride, padding, (n, k, s, pad) => {
      const axis = transposedConvolutionAxis(n, k, s, pad);
      assert.equal(axis.small, n);
      assert.deepEqual(convolutionAxis(axis.big, k, s, pad), axis);
    }),
  );
});

test('valid conv2dTranspose: room for every tap of every pixel, and for the last stride', () => {
  fc.assert(
    fc.property(size, kernel, stride, (n, k, s) => {
      let end = 0;
      for (let i = 0; i < n; i++) {
        for (let tap = 0; tap < k; tap++) end = Math.max(end, i * s + tap + 1);
        end = Math.max(end, (i + 1) * s);
      }
      assert.equal(transposedConvolutionAxis(n, k, s, 'valid').big, end);
    }),
  );
});

// Printed by Keras's own formulas, conv_output_length and deconv_output_length, and by tf.nn's padding notes.
test('known sizes', () => {
  assert.deepEqual(convolutionAxis(28, 3, 2, 'valid'), { big: 28, small: 13, padBefore: 0 });
  assert.deepEqual(convolutionAxis(28, 3, 2, 'same'), { big: 28, small: 14, padBefore: 0 });
  assert.deepEqual(convolutionAxis(13, 3, 2, 'same'), { big: 13, small: 7, padBefore: 1 });
  assert.deepEqual(convolutionAxis(5, 1, 3, 'same'), { big: 5, small: 2, padBefore: 0 });
  assert.deepEqual(transposedConvolutionAxis(7, 3, 2, 'same'), { big: 14, small: 7, padBefore: 0 });
  assert.deepEqual(transposedConvolutionAxis(7, 5, 2, 'same'), { big: 14, small: 7, padBefore: 1 });
  assert.deepEqual(transposedConvolutionAxis(7, 3, 2, 'valid'), { big: 15, small: 7, padBefore: 0 });
  assert.deepEqual(transposedConvolutionAxis(7, 2, 3, 'valid'), { big: 21, small: 7, padBefore: 0 });
});
