// Flags and arguments that several commands have, with the same words in each.
import { presetNames } from '../model/presets.js';
import { choice, inGroup, path, seedNumber, switchFlag, wholeNumber } from './flags.js';

/** Every command has them. */
export const outputFlags = inGroup('Output:', {
  json: switchFlag({ describe: 'Print JSON for machines, one object a line', default: 'off' }),
  debug: switchFlag({ describe: 'Print the stack of an error', default: 'off' }),
});

export const runArgument = {
  run: path("the path of a run's directory or of a checkpoint", {
    describe: "A run's directory (its newest checkpoint), or a checkpoint file",
    default: 'none: it must be given',
  }),
};

export function modelFlag() {
  return path('the name of a preset or the path of a JSON file', {
    describe:
      'cvae (convolutional), mlp (dense), iwae (the dense network of the IWAE paper, trained by the ELBO; by the ' +
      'importance-weighted bound with train --objective iwae), or a JSON file of your own (docs/models.md)',
    default: 'cvae',
    words: presetNames,
  });
}

export function batchSizeFlag() {
  return wholeNumber(1, {
    alias: 'b',
    describe: 'Images of a step',
    default: "the model's: cvae 32, mlp 128, iwae 20",
  });
}

export function dataFlag(text: string) {
  return path('the path of a directory', {
    describe: `Directory of IDX files, plain or gzip (docs/data.md): ${text}`,
    default: 'the full MNIST (comes with the package)',
  });
}

export const klWords = { analytic: 'analytic', 'monte-carlo': 'monteCarlo' } as const;

/** As the user types it. */
export function klWord(kl: 'analytic' | 'monteCarlo'): string {
  return kl === 'monteCarlo' ? 'monte-carlo' : kl;
}

export function klFlag(defaultText: string) {
  return choice(klWords, {
    describe: "The KL term: analytic, or monte-carlo (as in TensorFlow's tutorial)",
    default: defaultText,
  });
}

const binarizations = { threshold: 'threshold', dynamic: 'dynamic', static: 'static', none: 'none' } as const;

export function binarizeFlag(defaultText: string) {
  return choice(binarizations, {
    describe:
      'Grey pixels become x by: threshold (grey > 127), dynamic (drawn at each visit), static (drawn once), ' +
      'none (kept as Bernoulli means)',
    default: defaultText,
  });
}

export function samplesFlag(defaultText: string) {
  return wholeNumber(1, {
    describe: 'K: draws of z an example, averaged: less noise, the same bound',
    default: defaultText,
  });
}

export function workersFlag(shards: string) {
  return wholeNumber(1, {
    alias: 'j',
    describe: 'Worker threads, at most one a shard; their number changes no bit',
    default: `all cores, at most ${shards}`,
  });
}

const backendWords = { simd: 'simd', wasm: 'wasm', native: 'native', cpu: 'cpu' } as const;

export function backendFlag(describe: string, defaultText: string) {
  return choice(backendWords, { describe, default: defaultText });
}

export function seedFlag(describe: string, defaultText: string) {
  return seedNumber({ describe: `${describe}: unsigned, 64 bits`, default: defaultText });
}
