// From the words of a command line to a command with its values, through yargs, which also writes the help.
// What yargs cannot say in a sentence (unknown and repeated flags, wrong values) is checked here.
import yargs, { type Argv } from 'yargs';
import { UsageError } from '../errors.js';
import { nearestName } from '../nearestName.js';
import { plain, type Style } from '../report/style.js';
import { wrapText } from '../report/wrap.js';
import type { Command, Positionals } from './command.js';
import { type Flag, quote } from './flags.js';

export type Parsed =
  | { readonly kind: 'run'; readonly command: Command; readonly values: Readonly<Record<string, unknown>> }
  /** Help or the version. */
  | { readonly kind: 'text'; readonly text: string };

export interface Program {
  readonly version: string;
  readonly commands: readonly Command[];
  readonly examples: Command['examples'];
  /** At the end of the general help. */
  readonly epilogue: string;
}

/** What the help is written for. */
export interface Page {
  readonly width: number;
  readonly style: Style;
}

const NAME = 'lowerbound';
const FLAGS = 'Flags:';

/** A text that neither yargs nor we take for a flag. */
const NEGATIVE_NUMBER = /^-(\d+(\.\d+)?|\.\d+)$/;

/**
 * The help is at least so wide, since the longest flag has to stand in its left half, and at most so wide,
 * for the eye.
 */
const [NARROWEST, WIDEST] = [56, 100];

/** @throws UsageError for every word that the program cannot use. */
export async function parseCommandLine(
  program: Program,
  args: readonly string[],
  page: Page = { width: 80, style: plain },
): Promise<Parsed> {
  const width = Math.min(Math.max(page.width, NARROWEST), WIDEST);
  const command = program.commands.find(({ name }) => name === args[0]);
  const asksForText = args.some((word) => ['--help', '-h', '--version'].includes(word)) || args[0] === 'help';
  if (!asksForText) {
    if (command === undefined) throw unknownCommand(program, args[0]);
    checkFlagNames(command, args.slice(1));
  }
  let raw: Readonly<Record<string, unknown>> | undefined;
  let text = '';
  const parser = buildParser(program, width, (argv) => {
    raw = argv;
  });
  try {
    await parser.parseAsync(
      command === undefined ? [...args] : separateValues(command, args),
      {},
      (_error: unknown, _argv: unknown, output: string) => {
        text = output;
      },
    );
  } catch (error) {
    throw refused((error as Error).message, command);
  }
  if (text !== '' && !args.includes('--version')) text = helpPage(text, program, command, { ...page, width });
  if (command === undefined || raw === undefined) return { kind: 'text', text };
  return { kind: 'run', command, values: readValues(command, raw) };
}

/** yargs 18 has it; its types are those of yargs 17. */
interface WithUsageConfiguration extends Argv {
  usageConfiguration(configuration: { readonly 'hide-types': boolean }): Argv;
}

function buildParser(program: Program, width: number, found: (argv: Record<string, unknown>) => void): Argv {
  const parser = (yargs() as WithUsageConfiguration)
    // What yargs adds at the right edge, it sets without a space where there is no room for one.
    .usageConfiguration({ 'hide-types': true })
    .scriptName(NAME)
    .usage('$0 COMMAND [FLAGS]')
    .usage('')
    .usage('Trains variational autoencoders over worker threads: the same bits on any number of them.')
    .locale('en')
    .updateStrings({
      'Not enough arguments following: %s': '--%s needs a value.',
      'Argument unexpected for: %s': '--%s takes no value.',
      'Show help': 'Show this help',
      'Show version number': 'Show the version',
      'Options:': FLAGS,
      'Positionals:': 'Arguments:',
    })
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'short-option-groups': false,
      'strip-aliased': true,
    })
    .version(program.version)
    .alias('help', 'h')
    .wrap(width)
    .exitProcess(false)
    .fail(false);
  for (const command of program.commands) addCommand(parser, command, found);
  return parser as Argv;
}

function addCommand(
  parser: Argv,
  { name, summary, positionals, flags }: Command,
  found: (argv: Record<string, unknown>) => void,
): void {
  parser.command({
    command: [name, ...Object.entries(positionals).map(positionalText)].join(' '),
    describe: summary,
    builder: (inner) => {
      for (const [positional, { describe }] of Object.entries(positionals)) {
        inner.positional(positional, { describe });
      }
      for (const [flag, definition] of Object.entries(flags)) inner.option(flag, yargsOption(definition));
      return inner;
    },
    handler: found,
  });
}

function positionalText([name, { optional }]: [string, Positionals[string]]): string {
  return optional === true ? `[${name}]` : `<${name}>`;
}

/** What yargs wrote, with marks, and with what yargs would break where it must not be broken. */
function helpPage(text: string, program: Program, command: Command | undefined, page: Page): string {
  const { style } = page;
  const marked = text
    .replace(/^\S.*:$/gm, style.strong)
    .replace(/^( {2,6})((?:-\w, )?--[\w-]+(?:, --[\w-]+)?)/gm, (_, indent, flag) => indent + style.name(flag))
    .replace(/^ {2}(lowerbound \S+(?: [<[]\w+[\]>])?)/gm, (_, name) => `  ${style.name(name)}`);
  const examples = exampleText((command ?? program).examples, page);
  const parts = [
    marked,
    examples,
    ...(command === undefined ? [wrapText(program.epilogue, page.width)] : []),
  ];
  return parts.join('\n\n');
}

/** Each command line whole and on a line of its own, to be copied; yargs would break it into a column. */
function exampleText(examples: Command['examples'], { width, style }: Page): string {
  const lines = examples.map(
    ([line, meaning]) => `${style.faint(wrapText(`  # ${meaning}`, width))}\n  ${line}`,
  );
  return [style.strong('Examples:'), ...lines].join('\n');
}

/** Values stay text until they are read with their own sentences: a yargs type would drop what was typed. */
function yargsOption(flag: Flag) {
  const { describe, default: shown, group } = flag;
  return {
    describe: `${describe} [default: ${shown}]`,
    ...(flag.kind === 'switch' ? { boolean: true, nargs: 0 } : { nargs: 1 }),
    ...(flag.kind === 'value' && flag.alias !== undefined ? { alias: flag.alias } : {}),
    // yargs would put what has no group last.
    group: group ?? FLAGS,
  };
}

/** `-j4` as `-j 4`, as compilers and make have it. */
function separateValues(command: Command, words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const [, letter, value] = /^-([a-z])(\d.*)$/.exec(word) ?? [];
    return letter !== undefined && aliasOf(command, letter) !== undefined ? [`-${letter}`, value!] : [word];
  });
}

/** @throws UsageError for a flag that the command does not have, or that is given twice. */
function checkFlagNames(command: Command, words: readonly string[]): void {
  const seen = new Set<string>();
  for (const word of separateValues(command, words)) {
    if (word === '--') return;
    if (!word.startsWith('-') || word === '-' || NEGATIVE_NUMBER.test(word)) continue;
    const [, dashes, name] = /^(--?)([^=]*)/.exec(word)!;
    const flag = knownFlag(command, name!, dashes!);
    if (flag === undefined) throw unknownFlag(command, word);
    if (seen.has(flag)) {
      throw usage(command, `--${flag} is given more than once, and which one counts would be a guess.`);
    }
    seen.add(flag);
  }
}

/** The flag's own name: it may have another one, and a switch may also be given as --no-name. */
function knownFlag(command: Command, name: string, dashes: string): string | undefined {
  const { flags } = command;
  if (Object.hasOwn(flags, name)) return name;
  if ((name.length === 1) === (dashes === '-')) {
    const flag = aliasOf(command, name);
    if (flag !== undefined) return flag;
  }
  const positive = name.replace(/^no-/, '');
  return Object.hasOwn(flags, positive) && flags[positive]!.kind === 'switch' ? positive : undefined;
}

/** The flag that has `name` as its other name. */
function aliasOf({ flags }: Command, name: string): string | undefined {
  return Object.keys(flags).find((flag) => {
    const definition = flags[flag]!;
    return definition.kind === 'value' && definition.alias === name;
  });
}

function readValues(command: Command, raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, { parse }] of Object.entries(command.positionals)) {
    if (raw[name] === undefined) continue;
    values[name] = parse(String(raw[name]), name.toUpperCase());
  }
  for (const [name, flag] of Object.entries(command.flags)) {
    const value = raw[name];
    if (value === undefined) continue;
    values[name] = flag.kind === 'switch' ? value === true : flag.parse(String(value), `--${name}`);
  }
  const [, extra] = raw._ as readonly string[];
  if (extra !== undefined) throw unexpectedWord(command, extra);
  return values;
}

function unknownCommand({ commands }: Program, word: string | undefined): UsageError {
  const names = commands.map(({ name }) => name);
  const list = `Commands are ${names.join(', ')}; "${NAME} --help" explains them.`;
  if (word === undefined) return new UsageError(`No command is given. ${list}`);
  if (word.startsWith('-')) {
    return new UsageError(`The command comes first, but ${quote(word)} is given. ${list}`);
  }
  const nearest = nearestName(word, names);
  return new UsageError(
    `There is no command ${quote(word)}${nearest === undefined ? '.' : `; did you mean ${nearest}?`} ${list}`,
  );
}

function unknownFlag(command: Command, word: string): UsageError {
  const name = word.replace(/=.*/s, '');
  const names = Object.keys(command.flags).flatMap((flag) =>
    command.flags[flag]!.kind === 'switch' ? [flag, `no-${flag}`] : [flag],
  );
  const nearest = nearestName(kebabCase(name.replace(/^--?/, '')), names);
  const hint = nearest === undefined ? '.' : `; did you mean --${nearest}?`;
  return usage(command, `There is no flag ${shortened(name)}${hint}`);
}

function unexpectedWord(command: Command, word: string): UsageError {
  const needed = Object.keys(command.positionals).map((name) => name.toUpperCase());
  const takes = needed.length === 0 ? 'only flags' : `one ${needed.join(' and one ')} and flags`;
  return usage(command, `${command.name} takes ${takes}: ${quote(word)} is too much.`);
}

/** What yargs said, as a sentence. */
function refused(message: string, command: Command | undefined): UsageError {
  const given = /^Not enough non-option arguments: got (\d+)/.exec(message)?.[1];
  const missing = Object.entries(command?.positionals ?? {})[Number(given)];
  if (command && missing) {
    const [name, { describe }] = missing;
    return usage(command, `${name.toUpperCase()} is missing: ${lowerFirst(describe)}.`);
  }
  // yargs names a flag by the name that was typed.
  const named = message.replace(/^--(?=[a-z] )/, '-');
  return command === undefined ? new UsageError(message) : usage(command, named);
}

function usage({ name }: Command, sentence: string): UsageError {
  return new UsageError(`${sentence} See "${NAME} ${name} --help".`);
}

/** batchSize and batch_size as batch-size. */
function kebabCase(name: string): string {
  return name
    .replaceAll('_', '-')
    .replace(/[a-z][A-Z]/g, ([a, b]) => `${a}-${b}`)
    .toLowerCase();
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
