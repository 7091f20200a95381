import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { presetSpec } from '#src/index.js';
import { runProgram } from './program.js';
import { succeed, temporaryDirectory } from './smallRun.js';

const commands = [
  'train',
  'evaluate',
  'sample',
  'reconstruct',
  'interpolate',
  'manifold',
  'inspect',
  'bench',
  'setup',
];

/** The flags of a help text, each with its words up to the next flag or heading. */
function flagTexts(help: string): Map<string, string> {
  const texts = new Map<string, string>();
  let flag = '';
  for (const line of help.split('\n')) {
    const start = /^ +(?:-h, )?--([a-z-]+) +(.*)$/.exec(line);
    if (start) flag = start[1]!;
    else if (!line.startsWith('   ')) flag = '';
    if (flag !== '') texts.set(flag, `${texts.get(flag) ?? ''} ${start ? start[2] : line.trim()}`.trim());
  }
  return texts;
}

describe('help', { concurrency: 2 }, () => {
  const directory = temporaryDirectory();
  const texts = new Map<string, Promise<string>>();
  const helpOf = (...words: string[]) => {
    const key = words.join(' ');
    const text = texts.get(key) ?? succeed([...words, '--help'], directory);
    texts.set(key, text);
    return text;
  };

  it('of the program names every command, examples and exit codes', async () => {
    const help = await helpOf();
    for (const command of commands)
      assert.match(help, new RegExp(`^  lowerbound ${command}( <(run|backend)>)? {2,}\\S`, 'm'));
    assert.match(help, /^Examples:\n {2}# .+\n {2}lowerbound train$/m);
    assert.match(help, /Exit codes: 0 done; 1 failed; 2 wrong use or bad input; 130 interrupted/);
  });

  for (const command of commands) {
    it(`of ${command} shows every default, and examples that it would accept`, async () => {
      const help = await helpOf(command);
      const flags = flagTexts(help);
      assert.ok(flags.has('json') && flags.has('debug'));
      for (const [flag, text] of flags) {
        if (flag === 'help' || flag === 'version') continue;
        assert.match(text, /^[A-Za-z0-9].* \[default: .+\]$/, `--${flag}`);
      }
      const examples = [...help.matchAll(/^ {2}# .+\n {2}lowerbound (.+)$/gm)].map(([, line]) => line!);
      assert.ok(examples.length >= 1);
      for (const example of examples) assertKnownWords(command, example, flags);
    });
  }

  it('of train shows the defaults that the models have', async () => {
    const flags = flagTexts(await helpOf('train'));
    for (const preset of ['cvae', 'mlp', 'iwae']) {
      const { latent, training } = presetSpec(preset, [28, 28, 1]);
      const shown = (flag: string, value: unknown) =>
        assert.match(
          flags.get(flag)!,
          new RegExp(`\\[default: the model's: (.*[, ])?${preset}( and iwae)? ${value}\\b`),
        );
      shown('latent', latent);
      shown('batch-size', training?.batchSize);
      shown('binarize', training?.binarize);
      if (preset !== 'iwae') shown('learning-rate', training?.learningRate);
      assert.match(flags.get('epochs')!, new RegExp(`the model's: ${training?.epochs}\\]`));
      assert.match(flags.get('samples')!, new RegExp(`the model's: ${training?.samples}\\]`));
    }
    assert.equal(
      presetSpec('mlp', [28, 28, 1]).training?.learningRate,
      presetSpec('iwae', [28, 28, 1]).training?.learningRate,
    );
  });

  it('is as wide as a pipe deserves, and no wider', async () => {
    for (const command of commands) {
      for (const line of (await helpOf(command)).split('\n')) {
        assert.ok(line.length <= 110, line);
      }
    }
  });

  it('comes for the word help, too', async () => {
    assert.equal(await succeed(['help'], directory), await helpOf());
    assert.equal(await succeed(['train', '-h'], directory), await helpOf('train'));
  });

  it('is not needed for the version', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const { stdout } = await runProgram(['--version'], directory);
    assert.equal(stdout, `${manifest.version}\n`);
  });
});

function assertKnownWords(command: string, example: string, flags: ReadonlyMap<string, string>): void {
  const [name, ...words] = example.split(' ');
  assert.equal(name, command);
  for (const word of words.filter((candidate) => candidate.startsWith('--'))) {
    assert.ok(flags.has(word.replace(/^--(no-)?/, '')), `${word} of: lowerbound ${example}`);
  }
}
