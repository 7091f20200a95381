import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { program } from '#src/cli/commandLine.js';
import { parseCommandLine } from '#src/cli/parse.js';
import { presetSpec } from '#src/index.js';
import { plain } from '#src/report/style.js';
import { runProgram } from './program.js';
import { succeed, temporaryDirectory } from './smallRun.js';

const commands = [
  'train',
  'evaluate',
  'infer',
  'sample',
  'reconstruct',
  'interpolate',
  'manifold',
  'inspect',
  'verify',
  'bench',
  'setup',
  'completion',
];

/** The flags of a help text, each with its words up to the next flag or heading. */
function flagTexts(help: string): Map<string, string> {
  const texts = new Map<string, string>();
  let flag = '';
  for (const line of help.split('\n')) {
    const start = /^ +(?:-[a-z], )?--([a-z-]+)(?:, --[a-z-]+)? {2,}(.*)$/.exec(line);
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
      assert.match(help, new RegExp(`^  lowerbound ${command}( <(run|what)>| \\[shell\\])? {2,}\\S`, 'm'));
    assert.match(help, /^Examples:\n {2}# .+\n {2}lowerbound train$/m);
    assert.ok(
      help
        .replaceAll('\n', ' ')
        .includes(
          'Exit codes: 0 done; 1 failed; 2 wrong use or bad input; 129 terminal closed, 130 interrupted (Ctrl-C), ' +
            '143 terminated: train has written a checkpoint; 141 nobody reads the output any more.',
        ),
      help,
    );
  });

  for (const command of commands) {
    it(`of ${command} shows every default, and examples that it would accept`, async () => {
      const help = await helpOf(command);
      const flags = flagTexts(help);
      if (command !== 'completion') assert.ok(flags.has('json') && flags.has('debug'));
      for (const [flag, text] of flags) {
        if (flag === 'help' || flag === 'version') continue;
        assert.match(text, /^[A-Za-z0-9].* \[default: .+\]$/, `--${flag}`);
      }
      const examples = [...help.matchAll(/^ {2}# .+\n {2}(?:source <\()?lowerbound ([^)>\n]+)/gm)].map(
        ([, line]) => line!,
      );
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

  it('is as wide as the terminal, without a broken word, and never wider than the eye likes', async () => {
    for (const args of [[], ...commands.map((command) => [command])]) {
      const words = new Set((await textAt(400, args)).split(/\s+/));
      for (const word of definedWords(args[0])) assert.ok(words.has(word), word);
      for (const width of [56, 60, 72, 80, 100, 132, 400]) {
        const lines = (await textAt(width, args)).split('\n');
        for (const line of lines) {
          // An example is to be copied whole.
          const isExample = /^ {2}(lowerbound|source) /.test(line);
          assert.ok(line.length <= Math.min(width, 100) || isExample, `${width}: ${line}`);
          for (const word of line.split(/\s+/).filter(Boolean))
            assert.ok(words.has(word), `${width}: ${word} of ${line}`);
        }
      }
    }
  });

  it('has 80 columns in a pipe, or those of COLUMNS', async () => {
    const { stdout } = await runProgram(['train', '--help'], directory);
    assert.equal(stdout, `${await textAt(80, ['train'])}\n`);
    const wider = await runProgram(['train', '--help'], directory, { COLUMNS: '100' });
    assert.equal(wider.stdout, `${await textAt(100, ['train'])}\n`);
  });

  it('has colour where it is forced, and the same words then', async () => {
    const { stdout } = await runProgram(['train', '--help'], directory, { FORCE_COLOR: '1' });
    assert.ok(stdout.includes('\u001b[1mOptimisation:\u001b[22m\n'));
    assert.ok(stdout.includes('  \u001b[36m-e, --epochs\u001b[39m '), stdout);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are what is taken away.
    assert.equal(stdout.replaceAll(/\u001b\[\d+m/g, ''), await helpOf('train'));
  });

  it('says what the preset iwae trains', async () => {
    for (const command of ['train', 'bench']) {
      const model = flagTexts(await helpOf(command)).get('model')!;
      assert.match(
        model,
        /iwae \(.*trained by the ELBO; by the importance-weighted bound with train --objective iwae\)/,
      );
    }
  });

  it('shows the short names', async () => {
    const train = await helpOf('train');
    for (const names of [
      '-e, --epochs',
      '-b, --batch-size',
      '--learning-rate, --lr',
      '-o, --out',
      '-j, --workers',
    ]) {
      assert.ok(train.includes(` ${names} `), names);
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

/** The words defined in the texts that yargs lays out: no help has a part of one. */
function definedWords(name: string | undefined): string[] {
  const command = program.commands.find((candidate) => candidate.name === name);
  const texts =
    command === undefined
      ? program.commands.map(({ summary }) => summary)
      : [command.summary, ...Object.values(command.flags).map(({ describe }) => describe)];
  return texts.flatMap((text) => text.split(/\s+/));
}

/** As a terminal of `width` columns has it. */
async function textAt(width: number, words: readonly string[]): Promise<string> {
  const parsed = await parseCommandLine(program, [...words, '--help'], { width, style: plain });
  assert.equal(parsed.kind, 'text');
  return parsed.kind === 'text' ? parsed.text : '';
}

function assertKnownWords(command: string, example: string, flags: ReadonlyMap<string, string>): void {
  const [name, ...words] = example.split(' ');
  assert.equal(name, command);
  for (const word of words.filter((candidate) => candidate.startsWith('--'))) {
    assert.ok(flags.has(word.replace(/^--(no-)?/, '')), `${word} of: lowerbound ${example}`);
  }
}
