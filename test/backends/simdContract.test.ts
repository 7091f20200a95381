import { test } from 'node:test';
import { canFuse, choosePlatform } from '#src/kernels/platform.js';
import { simdKind } from './backendHarness.js';
import { contract } from './contract.js';

const portable = simdKind(choosePlatform({ arithmetic: 'portable' }));

if (canFuse()) {
  const fused = simdKind(choosePlatform({ arithmetic: 'fused' }));
  contract(portable, fused);
  contract(fused, portable);
} else {
  contract(portable, portable);
  const skip = `Node ${process.version} on this machine does not fuse multiply-adds`;
  test('simd, fused: the contract', { skip }, () => {});
}
