import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '#src/errors.js';
import { parseOptions, usage } from '../../bench/options.js';

const sections = ['kernels', 'step', 'scaling'];

test('options of the benchmarks: sections, model, batch size and files', () => {
  const none = { model: undefined, batchSize: undefined, network: undefined };
  assert.deepEqual(parseOptions([], sections), {
    ...{ sections: [], ...none, json: undefined, compare: undefined },
  });
  const words = 'step --model mlp --batch-size 64 --json a.json --compare b.json'.split(' ');
  assert.deepEqual(parseOptions(words, sections), {
    ...{ sections: ['step'], model: 'mlp', batchSize: 64, network: undefined },
    ...{ json: 'a.json', compare: 'b.json' },
  });
});

test('the model of the network: numbers of hosts, and a latency for each link or for all', () => {
  const network = (line: string) =>
    parseOptions(
      ['scaling', '--model-of-the-network', ...line.split(' ').filter((word) => word !== '')],
      sections,
    )!.network!;
  const plain = network('--threads 2');
  assert.deepEqual(plain, {
    ...{ hosts: [2, 8, 64, 256], threads: 2, globalBatch: 8192, pictures: undefined },
    links: [
      { bandwidth: 1e9, latency: 1e-4, message: 0 },
      { bandwidth: 1e10, latency: 2e-5, message: 0 },
    ],
  });
  assert.ok(network('').threads >= 1);
  // Without a latency, links of more than 1 Gbit/s have 20 µs.
  assert.deepEqual(
    network('--gbits 0.5,1,25').links.map(({ latency }) => latency),
    [1e-4, 1e-4, 2e-5],
  );
  const given =
    '--hosts 1,4 --gbits 2.5,100 --latency-us 50 --message-us 4 --threads 3 --global-batch 512 --pictures a';
  assert.deepEqual(network(given), {
    ...{ hosts: [1, 4], threads: 3, globalBatch: 512, pictures: 'a' },
    links: [
      { bandwidth: 2.5e9, latency: 5e-5, message: 4e-6 },
      { bandwidth: 1e11, latency: 5e-5, message: 4e-6 },
    ],
  });
});

test('--help asks for the usage, which names every section and option', () => {
  assert.equal(parseOptions(['step', '--help'], sections), undefined);
  const text = usage(sections);
  for (const word of [
    ...sections,
    '--model',
    '--batch-size',
    '--json',
    '--compare',
    'mlp',
    '--model-of-the-network',
    '--gbits',
  ]) {
    assert.ok(text.includes(word), word);
  }
});

for (const [line, message] of [
  ['kernel', 'There is no section kernel. Sections are kernels, step, scaling.'],
  ['--model vae', '--model is vae: expected one of cvae, mlp, iwae.'],
  ['--batch-size 0', '--batch-size is 0: expected a whole number from 1 up.'],
  ['--batch-size 1.5', '--batch-size is 1.5: expected a whole number from 1 up.'],
  ['--batches 3', /^Unknown option '--batches'.* --help lists the options\.$/],
  ['step --gbits 1', '--gbits needs --model-of-the-network.'],
  ['step --model-of-the-network', '--model-of-the-network belongs to the section scaling: name it.'],
  ['scaling --model-of-the-network --hosts 2,3.5', '--hosts is 2,3.5: expected whole numbers from 1 up.'],
  ['scaling --model-of-the-network --hosts 0', '--hosts is 0: expected whole numbers from 1 up.'],
  ['scaling --model-of-the-network --gbits 1,', '--gbits is 1,: expected numbers above 0.'],
  ['scaling --model-of-the-network --gbits 0', '--gbits is 0: expected numbers above 0.'],
  ['scaling --model-of-the-network --latency-us=-1', '--latency-us is -1: expected numbers from 0 up.'],
  [
    'scaling --model-of-the-network --latency-us 1,2,3',
    '--latency-us has 3 numbers and --gbits 2: give one latency for all links, or one for each.',
  ],
  ['scaling --model-of-the-network --message-us 1,2', '--message-us is 1,2: expected a number from 0 up.'],
  ['scaling --model-of-the-network --threads 0', '--threads is 0: expected a whole number from 1 up.'],
  [
    'scaling --model-of-the-network --global-batch 1.5',
    '--global-batch is 1.5: expected a whole number from 1 up.',
  ],
] as const) {
  test(`refused: ${line}`, () => {
    const error = new RegExp(typeof message === 'string' ? `^${escaped(message)}$` : message);
    assert.throws(
      () => parseOptions(line.split(' '), sections),
      (thrown) => thrown instanceof UsageError && error.test(thrown.message),
    );
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
