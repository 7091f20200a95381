// Command lines, generated from the flags that the commands declare.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Command } from '#src/cli/command.js';
import { program } from '#src/cli/commandLine.js';
import type { ValueFlag } from '#src/cli/flags.js';
import { parseCommandLine } from '#src/cli/parse.js';
import { nastyNumber, nastyText } from './mutations.js';
import { outcomeOf, type Property, property } from './property.js';

/** The notations in which people and programs write numbers. */
const numberText = fc
  .tuple(
    nastyNumber,
    fc.constantFrom<(value: number) => string>(
      String,
      (value) => value.toExponential(),
      (value) => value.toFixed(Math.abs(value) < 1e20 ? 3 : 0),
      (value) => `+${value}`,
      (value) => `0x${Math.trunc(Math.abs(value) % 2 ** 53).toString(16)}`,
      (value) => `0${value}`,
      (value) => `${value}_0`,
      (value) => ` ${value}`,
      (value) => `${value}\n`,
      (value) => `${value}n`,
      (value) => String(value).replace('.', ','),
      (value) => BigInt(Math.trunc(Math.min(value, 1e300))).toString(),
      (value) => String(value).replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    ),
  )
  .map(([value, write]) => write(value));

/** No command line has a zero byte. */
const value = fc
  .oneof(numberText, nastyText, fc.nat({ max: 20 }).map(String), fc.constant('1'.repeat(30_000)))
  .map((text) => text.replaceAll('\0', ''));

/** How a flag and its value stand in a command line. */
const SHAPES: readonly ((name: string, value: string) => string[])[] = [
  (name, text) => [`--${name}`, text],
  (name, text) => [`--${name}=${text}`],
  (name) => [`--${name}`],
  (name) => [`--no-${name}`],
  (name, text) => [`-${name}`, text],
];

const command: fc.Arbitrary<Command> = fc.constantFrom(...program.commands);

const commandLine = command.chain((command) => {
  const names = Object.keys(command.flags);
  const words = Object.values(command.flags).flatMap((flag) =>
    flag.kind === 'value' ? (flag.words ?? []) : [],
  );
  const text = fc.oneof(
    { weight: 4, arbitrary: value },
    fc.constantFrom('x', ...words),
    fc.constant('a.png'),
  );
  const name = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('json', ...names) },
    nastyText.map((each) => each.replaceAll('\0', '')),
  );
  const flag = fc
    .tuple(fc.constantFrom(...SHAPES), name, text)
    .map(([shape, name, text]) => shape(name, text));
  const positionals = fc.array(text, { maxLength: 2 });
  return fc.record({
    command: fc.constant(command),
    before: Object.keys(command.positionals).length === 0 ? fc.constant([]) : positionals,
    flags: fc.array(flag, { maxLength: 4 }),
  });
});

const commandLines = property(
  'a command line is read to the values that it says, or refused',
  300,
  commandLine,
  async ({ command, before, flags }) => {
    const args = [command.name, ...before, ...flags.flat()];
    // Anything may be wrong with a line: its sentence says with which command, flag or word.
    const outcome = await outcomeOf(() => parseCommandLine(program, args), [' ']);
    if (outcome.kind === 'refused') return 'refused';
    const parsed = outcome.value;
    if (parsed.kind === 'text') return 'read';
    for (const [name, flag] of Object.entries(command.flags)) {
      const read: unknown = parsed.values[name];
      if (read === undefined) continue;
      if (flag.kind === 'switch') assert.equal(typeof read, 'boolean');
      else assertAsTyped(flag, read, args);
    }
    return 'read';
  },
);

/** The value of a flag is what one of the words says. */
function assertAsTyped({ words }: ValueFlag<unknown>, read: unknown, args: readonly string[]): void {
  const texts = args.flatMap((word) => [word, word.replace(/^[^=]*=/s, ''), word.replace(/^-[a-z]/, '')]);
  switch (typeof read) {
    case 'number':
      assert.ok(Number.isFinite(read) && !Object.is(read, -0));
      assert.ok(
        texts.some((text) => /\d/.test(text) && Number(text) === read),
        `${read}`,
      );
      break;
    case 'bigint':
      assert.ok(read >= 0n && read < 2n ** 64n);
      assert.ok(
        texts.some((text) => /^\d+$/.test(text) && BigInt(text) === read),
        `${read}`,
      );
      break;
    case 'string':
      assert.ok(texts.includes(read) || words?.some((word) => texts.includes(word)), read);
      break;
    default:
      assert.ok(
        Array.isArray(read) && texts.some((text) => text.split(',').map(Number).join() === read.join()),
      );
  }
}

export const commandLineProperties: readonly Property[] = [commandLines];
