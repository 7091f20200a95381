// What a gradient is multiplied by, by the definition (Pascanu et al. 2013, algorithm 1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clippingFactor } from '#src/optimizer/clipping.js';

test('a gradient whose norm is above the threshold gets that norm; others stay', () => {
  assert.equal(clippingFactor(8, 2), 0.25);
  assert.equal(clippingFactor(2, 2), 1);
  assert.equal(clippingFactor(1, 2), 1);
  assert.equal(clippingFactor(0, 2), 1);
});

test('a norm that is not finite clips nothing: a factor of 0 would make the update finite', () => {
  assert.equal(clippingFactor(Number.POSITIVE_INFINITY, 2), 1);
  assert.equal(clippingFactor(Number.NaN, 2), 1);
});
