import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeNpy } from '#src/runs/npy.js';

test('a NumPy file has the header of format 1.0 and the values as they are', () => {
  const values = Float32Array.of(1, -2, 0.5, 3, 4, 5);
  const bytes = Buffer.from(encodeNpy(values.subarray(0, 6), [2, 3]));
  assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\x00');
  const length = bytes.readUInt16LE(8);
  assert.equal((10 + length) % 64, 0);
  const header = bytes.subarray(10, 10 + length).toString('latin1');
  assert.match(header, /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/);
  for (let i = 0; i < 6; i++) assert.equal(bytes.readFloatLE(10 + length + 4 * i), values[i]);
  assert.equal(bytes.length, 10 + length + 24);
});

test('one axis is a tuple of one, and doubles are told', () => {
  const bytes = Buffer.from(encodeNpy(Float64Array.of(1, 2), [2]));
  assert.match(bytes.toString('latin1'), /'<f8', 'fortran_order': False, 'shape': \(2,\)/);
});

test('a shape of other values is refused', () => {
  assert.throws(() => encodeNpy(new Float32Array(5), [2, 3]), /5 values have no shape \[2, 3\]/);
});
