// The elementary functions as the kernels compute them, for references that must agree to the bit.
import { bindProbes, probeBytes } from '../../bench/probes.js';
import { KernelHarness, wholeVectors } from './kernelHarness.js';

/** log1pArray is none of the product's: it shows the series that softplus takes. */
export type ElementaryKernel = 'expArray' | 'logArray' | 'log1pArray' | 'sigmoidArray' | 'tanhForward';

/** Values at a time, at most. */
export const CHUNK = 1 << 16;

const harness = new KernelHarness(2 * CHUNK * Float32Array.BYTES_PER_ELEMENT + 65536);

const probes = bindProbes(new WebAssembly.Module(probeBytes('portable')), harness.memory);

export function elementary(kernel: ElementaryKernel, values: Float32Array): Float32Array {
  harness.reset();
  const { length } = values;
  if (kernel === 'tanhForward') {
    const y = harness.inPlace(values, wholeVectors(length));
    harness.run((kernels) => kernels.tanhForward(y, length));
    return harness.floats(y, length);
  }
  const x = harness.input(values);
  const out = harness.output(values.byteLength, wholeVectors(length));
  const { log1pArray } = probes;
  harness.run((kernels) => ({ ...kernels, log1pArray })[kernel](x, out, length));
  return harness.floats(out, length);
}
