// What the pages say of commands and files: each flag, file and link is there. And how they say it:
// test/cli/prose.ts.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MOST_WORDS, proseFaults, sentences } from './prose.js';
import { succeed, temporaryDirectory } from './smallRun.js';

// From build/test/cli to the project's root.
const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true })
    .map((name) => `docs/${name}`.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.md')),
];
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const manifest = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Files that only a build or a run makes. */
const made = /^(build|dist|runs|node_modules)\//;

describe('the pages', () => {
  const directory = temporaryDirectory();
  const helps = new Map<string, Promise<string>>();
  const helpOf = (command: string) => {
    const help = helps.get(command) ?? succeed([command, '--help'], directory);
    helps.set(command, help);
    return help;
  };

  for (const page of pages) {
    it(`${page}: every command line has flags that there are`, async () => {
      const lines = read(page).matchAll(
        /(?:npx lowerbound|`lowerbound|dist\/cli\/main\.js) ([a-z]+)([^`\n#]*)/g,
      );
      for (const [line, command, rest] of lines) {
        const help = await helpOf(command!);
        for (const [, , flag] of rest!.matchAll(/ (--(?:no-)?([a-z-]+))/g)) {
          assert.match(help, new RegExp(`^ +(?:-\\w, )*--${flag} `, 'm'), line);
        }
      }
    });

    it(`${page}: every script of npm is there`, () => {
      for (const [, script] of read(page).matchAll(/npm run ([a-z:-]+[a-z])/g)) {
        assert.ok(script! in manifest.scripts, script);
      }
    });

    it(`${page}: every link leads to a file`, () => {
      for (const [, target] of read(page).matchAll(/\]\(([^)#:]+?)(?:#[^)]*)?\)/g)) {
        assert.ok(existsSync(join(root, dirname(page), target!)), target);
      }
    });

    it(`${page}: every file that is named is there`, () => {
      for (const [, path] of read(page).matchAll(
        /`((?:src|test|docs|bench|scripts|examples|setup|\.github)\/[\w./-]+)`/g,
      )) {
        if (!made.test(path!)) assert.ok(existsSync(join(root, path!)), path);
      }
    });
  }
});

it('CONTRIBUTING.md: what its examples import is exported', async () => {
  const examples = [
    ...read('CONTRIBUTING.md').matchAll(/`src\/(\w+)\/<name>\.ts`, here [\s\S]*?```ts\n([\s\S]*?)```/g),
  ];
  assert.equal(examples.length, 3);
  for (const [, folder, code] of examples) {
    for (const [, names, path] of code!.matchAll(/import \{ (.*?) \} from '(\..*?)'/g)) {
      const exported = await import(join(root, 'dist', folder!, path!));
      for (const name of names!.split(', ').filter((word) => !word.startsWith('type '))) {
        assert.ok(name in exported, `${name} of ${folder}/${path}`);
      }
    }
  }
});

it('docs/decisions/README.md has a line for each record, with its number and its title', () => {
  const index = read('docs/decisions/README.md');
  for (const name of readdirSync(join(root, 'docs/decisions'))) {
    if (name === 'README.md') continue;
    const [, number, title] = /^# (\d+)\. (.*)$/m.exec(read(`docs/decisions/${name}`))!;
    assert.equal(Number.parseInt(name, 10), Number(number), name);
    assert.ok(index.includes(`| [${number}](${name}) | ${title} | 20`), name);
  }
});

describe('the prose of the pages', () => {
  for (const page of pages.filter((name) => name !== 'README.md')) {
    it(`${page}: no sentence is too long, no line too wide, no phrase odd`, () => {
      assert.deepEqual(proseFaults(read(page)), []);
    });
  }

  it('a sentence ends where the next one begins, not at a short word, in code or in a table', () => {
    const page = [
      ...[
        '# A heading',
        'One sentence, e.g. this one. `code` begins',
        'the next. (A third!)',
        '',
        '| a | b |',
      ],
      ...[
        '',
        '    four spaces. Are code.',
        '',
        '- an item',
        '  goes on',
        '- [another](a.md)',
        '```',
        'x. Y',
        '```',
      ],
    ].join('\n');
    assert.deepEqual(sentences(page), [
      ...[
        'A heading',
        'One sentence, e.g. this one.',
        'code begins the next.',
        '(A third!)',
        'an item goes on',
      ],
      'another',
    ]);
  });

  it('one word too many, each avoided phrase and a wide line are faults', () => {
    const words = (count: number) => `${Array(count).fill('word').join('\n')}.`;
    assert.deepEqual(proseFaults(words(MOST_WORDS)), []);
    assert.equal(proseFaults(words(MOST_WORDS + 1)).length, 1);
    for (const odd of [
      ...[
        'Of the rows none is read.',
        'That is not to be had.',
        'It waits, lest it fail.',
        'It ran in vain.',
      ],
      ...['Today there are, in this file, tests.', 'The bits are what they were.'],
    ]) {
      assert.equal(proseFaults(`A sentence. ${odd}`).length, 1, odd);
    }
    assert.deepEqual(proseFaults('The number of rows. Some of the rows are at least four wide.'), []);
    assert.equal(proseFaults('wide '.repeat(24).trimEnd()).length, 0);
    assert.equal(proseFaults(`${'wide '.repeat(24)}ly`).length, 1);
  });
});

it('the tables of docs/files.md have every file of src that it lists beside others', () => {
  // A row begins with files of one folder: the first with its path, the others by name.
  for (const [row, first, others] of read('docs/files.md').matchAll(/^\| `(src\/[\w./-]+)`([^|]*)\|/gm)) {
    for (const [, name] of others!.matchAll(/`([\w-]+\.ts)`/g)) {
      const path = join(root, dirname(first!), name!);
      assert.ok(existsSync(path), `${name} of: ${row}`);
    }
  }
});
