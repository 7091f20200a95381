// The flags of objective, likelihood, optimizer and schedule, as a user types them, and the words that tell
// them back.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { runProgram } from './program.js';
import { assertRefused, succeed, temporaryDirectory, writeSmallData } from './smallRun.js';

describe('a run with other objective, likelihood, optimizer and schedule', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  const flags = [
    ...['--objective', 'iwae', '--samples', '3', '--likelihood', 'gaussian', '--sigma', '0.25'],
    ...['--optimizer', 'sgd', '--momentum', '0.9', '--learning-rate', '1e-6'],
    ...['--learning-rate-schedule', 'cosine', '--warmup-epochs', '0.5'],
  ];
  let output = '';

  before(async () => {
    writeSmallData(directory, 'data', 40);
    const args = ['train', '--data', 'data', '--workers', '1', '--batch-size', '16', '--epochs', '1'];
    output = await succeed([...args, '--no-pictures', '--out', 'run', ...flags], directory);
  });

  it('says what was chosen, with its numbers', () => {
    const told = unwrapped(output);
    assert.match(told, /^Data {9}data, binarise none$/m);
    assert.match(
      told,
      /^Objective {4}IWAE bound, K = 3, KL monte-carlo, beta 1; likelihood Gaussian, sigma 0\.25$/m,
    );
    assert.match(
      told,
      /^Optimizer {4}SGD, momentum 0\.9, learning rate 0\.000001 \(cosine, warmupEpochs 0\.5\), batches of 16 in 8 shards, seed 0$/m,
    );
  });

  it('tells the bound beside the ELBO of each epoch', () => {
    assert.match(
      unwrapped(output),
      /^epoch 1\/1 {2}test bound \S+ nats, train bound \S+, test ELBO \S+ nats \(reconstruction .*\), train\sELBO \S+/m,
    );
  });

  it('is inspected', async () => {
    const text = unwrapped(await succeed(['inspect', 'run'], directory));
    assert.match(text, /^Objective {6}IWAE bound, K = 3, KL monte-carlo, beta 1$/m);
    assert.match(text, /^Likelihood {5}Gaussian, sigma 0\.25$/m);
    assert.match(
      text,
      /^Optimizer {6}SGD, momentum 0\.9, learning rate 0\.000001 \(cosine, warmupEpochs 0\.5\)$/m,
    );
  });

  it('is evaluated, and says by what protocol', async () => {
    const text = unwrapped(await succeed(['evaluate', 'run', '--data', 'data'], directory));
    assert.match(text, /^Test bound {5}\s*\S+ ± \d+\.\d\d nats \(standard error of the mean\)\nTest ELBO /m);
    assert.match(text, /^Protocol .* seed 0, objective iwae, likelihood gaussian, sigma 0\.25$/m);
  });

  it('goes on, but not with more epochs, and not with another optimizer', async () => {
    const resume = ['train', '--resume', 'run', '--data', 'data'];
    assertRefused(
      await runProgram([...resume, '--epochs', '2'], directory),
      'run was started with epochs 1, but 2 is asked for now. Its learning-rate schedule, cosine, ends with the epochs, ' +
        'so their number decides bits: leave it out, or start a new run.',
    );
    assertRefused(
      await runProgram([...resume, '--optimizer', 'adam'], directory),
      'run was started with optimizer "sgd", but "adam" is asked for now. A run that is resumed keeps every setting that ' +
        'decides its bits: leave this one out, or start a new run.',
    );
  });
});

/** Without the breaks of lines that are longer than a terminal of 80 columns, and without hard spaces. */
function unwrapped(text: string): string {
  return text.replaceAll('\u00a0', ' ').replaceAll(/\n {11,15}(?=\S)/g, ' ');
}
