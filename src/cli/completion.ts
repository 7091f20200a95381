// `lowerbound completion`: what the shell runs at each press of the Tab key, and what it completes. yargs has
// such scripts, too: they offer flags where a path is to be typed, ask for a bash that macOS does not have,
// and know the shell by $SHELL, which need not be the one that asks.
import type { Command } from './command.js';
import type { Flag, ValueFlag } from './flags.js';

export const shells = ['bash', 'zsh'] as const;
export type Shell = (typeof shells)[number];

/**
 * The first word of a command line that asks for completions; then the shell, and the words up to the cursor.
 */
export const COMPLETE = '__complete';

/** A word that may stand at the cursor. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/**
 * What may stand in the place of the last of `words`, which may be empty. Empty where a path or a number is
 * to be typed: the shell then completes files.
 * @param words behind the program's name.
 */
export function candidates(commands: readonly Command[], words: readonly string[]): Candidate[] {
  const current = words.at(-1) ?? '';
  const [name] = words;
  const command = words.length > 1 ? commands.find((candidate) => candidate.name === name) : undefined;
  return possible(commands, command, words).filter(({ word }) => word.startsWith(current));
}

function possible(
  commands: readonly Command[],
  command: Command | undefined,
  words: readonly string[],
): Candidate[] {
  if (words.length <= 1) {
    return commands.map(({ name, summary }) => ({ word: name, meaning: summary }));
  }
  if (command === undefined) return [];
  const current = words.at(-1)!;
  const [, named] = /^(--[^=]+)=/.exec(current) ?? [];
  if (named !== undefined) {
    return valuesOf(findFlag(command, named)).map((word) => ({ word: `${named}=${word}`, meaning: '' }));
  }
  const before = findFlag(command, words.at(-2)!);
  if (before?.kind === 'value') return valuesOf(before).map((word) => ({ word, meaning: '' }));
  if (current.startsWith('-')) return flagCandidates(command, words.slice(1, -1));
  const [positional] = Object.values(command.positionals);
  if (positional !== undefined && !isGiven(command, words.slice(1, -1))) {
    return valuesOf(positional).map((word) => ({ word, meaning: '' }));
  }
  return current === '' && positional === undefined ? flagCandidates(command, words.slice(1, -1)) : [];
}

/** Whether there is a word that is neither a flag nor a flag's value. */
function isGiven(command: Command, words: readonly string[]): boolean {
  return words.some(
    (word, i) => !word.startsWith('-') && (i === 0 || findFlag(command, words[i - 1]!)?.kind !== 'value'),
  );
}

/** Those that are not there yet. */
function flagCandidates(command: Command, given: readonly string[]): Candidate[] {
  const present = new Set(given.map((word) => findFlag(command, word.replace(/=.*/s, ''))));
  const flags = Object.entries(command.flags).filter(([, flag]) => !present.has(flag));
  return [
    ...flags.map(([name, { describe }]) => ({ word: `--${name}`, meaning: describe })),
    ...flags.flatMap(([name, flag]) =>
      flag.kind === 'switch' && flag.default === 'on'
        ? [{ word: `--no-${name}`, meaning: `The opposite of --${name}` }]
        : [],
    ),
    { word: '--help', meaning: 'Show the help' },
  ];
}

function findFlag({ flags }: Command, word: string): Flag | undefined {
  return Object.entries(flags).find(([name, flag]) => {
    const names = [`--${name}`, `--no-${name}`];
    if (flag.kind === 'value' && flag.alias !== undefined) {
      names.push(`${flag.alias.length === 1 ? '-' : '--'}${flag.alias}`);
    }
    return names.includes(word);
  })?.[1];
}

function valuesOf(flag: Flag | ValueFlag<unknown> | undefined): readonly string[] {
  return flag?.kind === 'value' ? (flag.words ?? []) : [];
}

/** A candidate a line, as the shell's script reads them. */
export function candidateLines(shell: Shell, found: readonly Candidate[]): string {
  return found
    .map(({ word, meaning }) => {
      if (shell === 'bash') return `${word}\n`;
      const name = word.replaceAll(':', '\\:');
      return meaning === '' ? `${name}\n` : `${name}:${meaning}\n`;
    })
    .join('');
}

export function completionScript(shell: Shell): string {
  return shell === 'zsh' ? ZSH : BASH;
}

const BASH = `# lowerbound: completion for bash. To have it in every shell:
#   lowerbound completion bash >> ~/.bashrc
_lowerbound_complete() {
  local word line
  COMPREPLY=()
  # bash takes --flag=value for three words.
  local words="\${COMP_LINE:0:COMP_POINT}"
  local -a typed
  read -r -a typed <<< "$words"
  [[ "$words" == *[[:space:]] ]] && typed+=("")
  word="\${typed[\${#typed[@]}-1]}"
  while IFS= read -r line; do
    [[ "$word" == --*=* ]] && line="\${line#*=}"
    COMPREPLY+=("$line")
  done < <(lowerbound ${COMPLETE} bash "\${typed[@]:1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _lowerbound_complete lowerbound
`;

const ZSH = `#compdef lowerbound
# lowerbound: completion for zsh. To have it in every shell, after compinit:
#   lowerbound completion zsh >> ~/.zshrc
_lowerbound_complete() {
  local -a found
  found=("\${(@f)$(lowerbound ${COMPLETE} zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[*]}" ]]; then
    _describe 'lowerbound' found
  else
    _files
  fi
}
if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then
  _lowerbound_complete "$@"
else
  compdef _lowerbound_complete lowerbound
fi
`;
