import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { colorDepth, styleFor } from '#src/report/style.js';
import { columnsOf, showsUnicode } from '#src/report/terminal.js';
import { HARD_SPACE, visibleLength, wrapText } from '#src/report/wrap.js';
import { TestStream } from './exampleRun.js';

describe('colour', () => {
  const terminal = Object.assign(new TestStream(true), { getColorDepth: () => 8 });
  const pipe = new TestStream(false);

  it('is there where the terminal has it, and not in a pipe', () => {
    assert.equal(colorDepth(terminal, {}), 8);
    assert.equal(colorDepth(Object.assign(new TestStream(true), { getColorDepth: () => 24 }), {}), 24);
    assert.equal(colorDepth(Object.assign(new TestStream(true), { getColorDepth: () => 1 }), {}), 1);
    assert.equal(colorDepth(pipe, {}), 1);
  });

  it('is not there with NO_COLOR, unless it is empty', () => {
    assert.equal(colorDepth(terminal, { NO_COLOR: '1' }), 1);
    assert.equal(colorDepth(terminal, { NO_COLOR: '' }), 8);
  });

  it('is forced by FORCE_COLOR, also in a pipe and against NO_COLOR', () => {
    const depths = ['', '1', 'true', '2', '3', '0', 'false'].map((FORCE_COLOR) =>
      colorDepth(pipe, { FORCE_COLOR, NO_COLOR: '1' }),
    );
    assert.deepEqual(depths, [4, 4, 4, 8, 24, 1, 1]);
    assert.equal(colorDepth(terminal, { FORCE_COLOR: '0' }), 1);
  });

  it('marks texts, and leaves them alone where there is none', () => {
    assert.equal(styleFor(1).error('no'), 'no');
    assert.equal(styleFor(4).error('no'), '\u001b[31mno\u001b[39m');
    assert.equal(visibleLength(styleFor(24).strong('four')), 4);
  });
});

describe('columns', () => {
  it("are the terminal's; in a pipe COLUMNS, else 80", () => {
    assert.equal(columnsOf(new TestStream(true, 132), { COLUMNS: '40' }), 132);
    const pipe = Object.assign(new TestStream(false), { columns: undefined });
    assert.deepEqual(
      [{}, { COLUMNS: '40' }, { COLUMNS: 'wide' }, { COLUMNS: '0' }].map((env) => columnsOf(pipe, env)),
      [80, 40, 80, 80],
    );
  });
});

describe('block characters', () => {
  it('are shown where nothing speaks against it', () => {
    assert.ok(showsUnicode({}, 'linux'));
    assert.ok(showsUnicode({ LANG: 'de_DE.UTF-8', TERM: 'xterm' }, 'linux'));
    assert.ok(showsUnicode({ LC_ALL: '', LANG: 'C.utf8' }, 'linux'));
    assert.ok(!showsUnicode({ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, 'linux'));
    assert.ok(!showsUnicode({ LANG: 'de_DE.ISO-8859-1' }, 'linux'));
    assert.ok(!showsUnicode({ TERM: 'linux' }, 'linux'));
    assert.ok(!showsUnicode({ TERM: 'dumb' }, 'darwin'));
    assert.ok(!showsUnicode({}, 'win32'));
    assert.ok(showsUnicode({ WT_SESSION: 'x' }, 'win32'));
  });
});

describe('wrapText', () => {
  it('breaks between words, and indents what follows as the line is, or by the column of its label', () => {
    assert.equal(wrapText('  one two three', 9), '  one two\n  three');
    assert.equal(wrapText('Label  one two three', 14), 'Label  one two\n       three');
    assert.equal(wrapText('short\n\nshort', 10), 'short\n\nshort');
  });

  it('keeps words whole, whatever they are', () => {
    const hash = 'f'.repeat(64);
    assert.equal(
      wrapText(`Parameters     SHA-256 ${hash}`, 80),
      `Parameters     SHA-256\n               ${hash}`,
    );
    assert.equal(wrapText(`Parameters     SHA-256 ${hash}`, 66), `Parameters     SHA-256\n  ${hash}`);
    assert.equal(wrapText(`see ${hash} there`, 20), `see\n${hash}\nthere`);
  });

  it('does not break at hard spaces, which are spaces in the end', () => {
    assert.equal(wrapText(`aaaa K${HARD_SPACE}=${HARD_SPACE}1`, 8), 'aaaa\nK = 1');
  });

  it('counts no colours', () => {
    const marked = styleFor(24).warning('aaa');
    assert.equal(wrapText(`${marked} bbb`, 7), `${marked} bbb`);
    assert.equal(wrapText(`${marked} bbb`, 6), `${marked}\nbbb`);
  });

  it('loses no word, and is too wide only for a word that is', () => {
    const word = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom('a', 'b', '-', '.') });
    const line = fc.array(word, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        line,
        fc.integer({ min: 10, max: 60 }),
        fc.integer({ min: 0, max: 6 }),
        (words, width, indent) => {
          const lines = wrapText(`${' '.repeat(indent)}${words.join(' ')}`, width).split('\n');
          assert.deepEqual(lines.join(' ').split(/ +/).filter(Boolean), words);
          for (const text of lines) assert.ok(text.length <= width || /^ *\S+$/.test(text), text);
        },
      ),
    );
  });
});
