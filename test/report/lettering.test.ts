import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GLYPHS } from '#src/report/glyphs.js';
import { type TextMask, textLine, wrapText } from '#src/report/lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, TITLE_SIZE } from '#src/report/page.js';
import { Rasterizer } from '#src/report/rasterizer.js';

const same = (a: TextMask, b: TextMask) => Buffer.compare(a.alpha, b.alpha) === 0 && a.width === b.width;

/** First and last row with ink. */
function inkedRows({ width, height, alpha }: TextMask): [number, number] {
  const rows = Array.from({ length: height }, (_, row) => row).filter((row) =>
    alpha.subarray(row * width, (row + 1) * width).some((value) => value > 0),
  );
  return [rows[0]!, rows.at(-1)!];
}

describe('Rasterizer', () => {
  it('covers each pixel by the area of the outline in it', () => {
    // The hyphen is the rectangle from (100, 479) to (639, 643).
    const scale = 1 / 100;
    const rasterizer = new Rasterizer(9, 9);
    rasterizer.addGlyph('-', (x, y) => [x * scale + 0.25, 8 - y * scale]);
    const { alpha } = rasterizer.mask();
    const overlap = (low: number, high: number, cell: number) =>
      Math.max(Math.min(high, cell + 1) - Math.max(low, cell), 0);
    for (let y = 0; y < 9; y++) {
      for (let x = 0; x < 9; x++) {
        const area = overlap(1.25, 6.64, x) * overlap(8 - 6.43, 8 - 4.79, y);
        // The rounding to one of 15 shades, 17 apart, and float64's.
        assert.ok(Math.abs(alpha[y * 9 + x]! - 255 * area) <= 8.5 + 1e-9, `(${x}, ${y})`);
      }
    }
  });

  it('leaves holes white, and reaches the area of a slanted outline', () => {
    const rasterizer = new Rasterizer(30, 30);
    rasterizer.addGlyph('0', (x, y) => [x / 70 + 2, 25 - y / 70]);
    const { alpha } = rasterizer.mask();
    // 0 has its hole around (651, 745).
    assert.equal(alpha[Math.round(25 - 745 / 70) * 30 + Math.round(651 / 70 + 2)], 0);
    const slash = new Rasterizer(30, 40);
    slash.addGlyph('/', (x, y) => [x / 70 + 2, 30 - y / 70]);
    const sum = slash.mask().alpha.reduce((total, value) => total + value / 255, 0);
    // A parallelogram, 170 wide and from -190 to 1493 high; each of its 60 or so edge pixels is rounded by
    // 1/30 at most.
    assert.ok(Math.abs(sum - (170 * 1683) / 70 ** 2) < 60 / 30, `${sum}`);
  });
});

describe('textLine', () => {
  it('ends capitals and small letters at whole rows, in every size of a page', () => {
    for (const size of [CAPTION_SIZE, LABEL_SIZE, TITLE_SIZE, 2 * TITLE_SIZE]) {
      for (const text of ['H', 'E', 'O', '0', '8']) {
        const mask = textLine(text, size);
        assert.deepEqual(inkedRows(mask), [mask.capTop, mask.capBottom - 1], `${text} of size ${size}`);
      }
      const [[top], [round]] = [inkedRows(textLine('x', size)), inkedRows(textLine('o', size))];
      assert.equal(round, top);
    }
  });

  it('draws every sign that it has, within its height', () => {
    for (const sign of Object.keys(GLYPHS)) {
      const mask = textLine(sign, LABEL_SIZE);
      if (/\s/.test(sign)) assert.equal(mask.width, 0);
      else {
        assert.ok(
          mask.alpha.some((value) => value > 100),
          `${sign} has no ink`,
        );
        const [first, last] = inkedRows(mask);
        // Å, the highest, and Ç, the lowest: nothing is cut off.
        assert.ok(first > 0 || mask.alpha.subarray(0, mask.width).every((value) => value < 200), sign);
        assert.ok(last < mask.height);
      }
    }
  });

  it('has minus signs for numbers, hyphens for words, and question marks for what it lacks', () => {
    assert.ok(same(textLine('-5', 20), textLine('\u22125', 20)));
    assert.ok(!same(textLine('a-5', 20), textLine('a\u22125', 20)));
    assert.ok(same(textLine('\u6570', 20), textLine('?', 20)));
    assert.ok(same(textLine('z\u2081', 20), textLine('z1', 20)));
    assert.ok(!same(textLine('é', 20), textLine('e', 20)));
    // Names of the prototype are no signs.
    assert.ok(textLine('constructor', 20).width > 50);
  });
});

describe('wrapText', () => {
  it('fills lines up to the width, and divides no word', () => {
    const words = 'one two three four five six seven eight nine ten';
    const lines = wrapText(words, 20, 160);
    assert.ok(lines.length > 2 && lines.every(({ width }) => width <= 160));
    assert.equal(wrapText('incomprehensibilities', 20, 50).length, 1);
    assert.deepEqual(wrapText('  ', 20, 50), []);
  });
});
