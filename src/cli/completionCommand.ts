import { UsageError } from '../errors.js';
import { defineCommand } from './command.js';
import { completionScript, type Shell, shells } from './completion.js';
import { ExitCode } from './exitCode.js';
import { quote } from './flags.js';
import { printText } from './output.js';

export const completionCommand = defineCommand({
  name: 'completion',
  summary: 'Print a script by which bash or zsh completes commands, flags and their values',
  positionals: {
    shell: {
      kind: 'value',
      optional: true,
      describe: 'bash or zsh',
      default: 'the one of $SHELL',
      words: shells,
      parse: (given, name) => {
        if (!isShell(given)) throw new UsageError(`${name} takes bash or zsh, not ${quote(given)}.`);
        return given;
      },
    },
  },
  flags: {},
  examples: [
    ['source <(lowerbound completion bash)', 'In this shell'],
    ['lowerbound completion zsh >> ~/.zshrc', 'In every zsh from now on'],
  ],
  async execute({ shell }) {
    const usual: Shell = /zsh$/.test(process.env.SHELL ?? '') ? 'zsh' : 'bash';
    printText(completionScript(shell !== undefined && isShell(shell) ? shell : usual));
    return ExitCode.done;
  },
});

export function isShell(word: string): word is Shell {
  return shells.some((shell) => shell === word);
}
