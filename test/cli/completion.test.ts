import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { program } from '#src/cli/commandLine.js';
import { candidateLines, candidates } from '#src/cli/completion.js';
import { runProgram } from './program.js';
import { succeed, temporaryDirectory } from './smallRun.js';

/** What is offered for the last word of a line; a space at its end begins a new one. */
function offered(line: string): string[] {
  return candidates(program.commands, line.split(' ')).map(({ word }) => word);
}

describe('completion', () => {
  it('offers commands', () => {
    assert.deepEqual(offered('in'), ['infer', 'interpolate', 'inspect']);
    assert.deepEqual(offered('').length, program.commands.length);
    assert.deepEqual(offered('x'), []);
    assert.deepEqual(offered('frobnicate --'), []);
  });

  it('offers the flags that begin so, but not twice', () => {
    assert.deepEqual(offered('train --ba'), ['--batch-size', '--backend', '--barrier-timeout']);
    assert.deepEqual(offered('train -b 4 --ba'), ['--backend', '--barrier-timeout']);
    assert.deepEqual(offered('train --backend=wasm --ba'), ['--batch-size', '--barrier-timeout']);
    assert.deepEqual(offered('train --co'), ['--config']);
    assert.deepEqual(offered('train --no-p'), ['--no-pictures', '--no-preview']);
    assert.deepEqual(offered('train --no-pictures --pi'), []);
    assert.ok(offered('train ').includes('--epochs'));
    assert.deepEqual(offered('evaluate runs/cvae-1 --h'), ['--help']);
  });

  it('offers the values of a choice, by any of its names', () => {
    assert.deepEqual(offered('train --arithmetic '), ['portable', 'fused']);
    assert.deepEqual(offered('train --kl m'), ['monte-carlo']);
    assert.deepEqual(offered('train --kl=m'), ['--kl=monte-carlo']);
    assert.deepEqual(offered('train --model '), ['cvae', 'mlp', 'iwae']);
    assert.deepEqual(offered('setup '), ['native', 'mpi']);
    assert.deepEqual(offered('completion z'), ['zsh']);
  });

  it('leaves paths and numbers to the shell', () => {
    for (const line of [
      'train --data ',
      'train -o ',
      'train --config ',
      'train --epochs ',
      'evaluate ',
      'evaluate run',
      'sample a --out ',
    ]) {
      assert.deepEqual(offered(line), [], line);
    }
  });

  it('tells zsh what each word means', () => {
    const found = candidates(program.commands, ['inspect', 'run', '--j']);
    assert.equal(candidateLines('zsh', found), '--json:Print JSON for machines, one object a line\n');
    assert.equal(candidateLines('zsh', [{ word: 'a:b', meaning: '' }]), 'a\\:b\n');
  });

  const directory = temporaryDirectory();

  it('is asked for by the scripts', async () => {
    assert.equal(await succeed(['__complete', 'bash', 'train', '--arithmetic', 'f'], directory), 'fused\n');
    assert.equal(
      await succeed(['__complete', 'bash', ''], directory),
      program.commands.map(({ name }) => `${name}\n`).join(''),
    );
  });

  it('has a script for the shell that is named, else for that of $SHELL', async () => {
    const bash = await succeed(['completion', 'bash'], directory);
    const zsh = await succeed(['completion', 'zsh'], directory);
    assert.match(bash, /^complete -o bashdefault -o default -F _lowerbound_complete lowerbound$/m);
    assert.match(zsh, /^#compdef lowerbound\n/);
    const inShell = async (SHELL: string) => (await runProgram(['completion'], directory, { SHELL })).stdout;
    assert.equal(await inShell('/bin/zsh'), zsh);
    assert.equal(await inShell('/bin/bash'), bash);
    assert.equal(await inShell(''), bash);
  });

  const noBash = spawnSync('bash', ['--version']).status !== 0;

  it('works in bash', { skip: noBash && 'there is no bash' }, async () => {
    const script = await succeed(['completion', 'bash'], directory);
    const completed = (line: string) => {
      // The program's name means what is tested, and the shell's variables are as at a press of the Tab key.
      const test = `lowerbound() { "$NODE" "$MAIN" "$@"; }
${script}
COMP_LINE=$LINE; COMP_POINT=\${#LINE}; _lowerbound_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const main = new URL('../../../dist/cli/main.js', import.meta.url).pathname;
      const env = { ...process.env, NODE: process.execPath, MAIN: main, LINE: line };
      const { stdout, stderr } = spawnSync('bash', ['-c', test], { env, encoding: 'utf8' });
      assert.equal(stderr, '');
      return stdout.trim().split('\n');
    };
    assert.deepEqual(completed('lowerbound in'), ['infer', 'interpolate', 'inspect']);
    assert.deepEqual(completed('lowerbound train --ba'), ['--batch-size', '--backend', '--barrier-timeout']);
    assert.deepEqual(completed('lowerbound train --kl '), ['analytic', 'monte-carlo']);
    // bash completes what is behind the =.
    assert.deepEqual(completed('lowerbound train --kl=mo'), ['monte-carlo']);
    assert.deepEqual(completed('lowerbound train --data '), ['']);
  });
});
