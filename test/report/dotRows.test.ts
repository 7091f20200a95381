import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DotRow, dotRows } from '#src/report/dotRows.js';
import { CAPTION_SIZE, LABEL_SIZE } from '#src/report/page.js';
import { seriesColor } from '#src/report/palette.js';
import { assertMargins, DecodedPicture, middleOf, pack } from './decodedPicture.js';

const COLOR = seriesColor(0);
const text = { title: 'Variances', xLabel: 'nats²', columns: ['variance', 'bias'] };

const row = (label: string, value: number, error = 0): DotRow => ({
  ...{ label, value, error },
  texts: [value.toPrecision(3), 'none'],
});

const draw = async (rows: readonly DotRow[]) => DecodedPicture.of(await dotRows(rows, text));

/** The ink of a row's dot and line. */
function inkOf(picture: DecodedPicture, label: string) {
  const { y } = middleOf(picture.find(label, LABEL_SIZE)[0]!);
  const area = { ...picture.area, top: Math.round(y - 8), bottom: Math.round(y + 8) };
  return picture.boxOf((color) => color === pack(COLOR), area);
}

describe('dotRows', () => {
  it('puts dots where the labels of the axis say, a power of ten as far from the next everywhere', async () => {
    const picture = await draw([row('one', 0.1), row('two', 10), row('three', 0.5), row('four', 1000)]);
    const x = (label: string) => middleOf(picture.find(label, CAPTION_SIZE).at(-1)!).x;
    const unit = (x('1000') - x('0.1')) / 4;
    for (const [label, value] of [
      ['one', 0.1],
      ['two', 10],
      ['three', 0.5],
      ['four', 1000],
    ] as const) {
      const dot = middleOf(inkOf(picture, label)!);
      const expected = x('0.1') + (Math.log10(value) + 1) * unit;
      assert.ok(Math.abs(dot.x - expected) <= 1.5, `${label} stands at ${dot.x}, expected ${expected}`);
    }
    assertMargins(picture);
  });

  it('writes labels, headings and texts, each row on a line of its own', async () => {
    const picture = await draw([row('first', 2), row('second', 30)]);
    const line = (words: string) => middleOf(picture.find(words, LABEL_SIZE)[0]!).y;
    assert.ok(Math.abs(line('first') - line('2.00')) <= 3);
    assert.ok(Math.abs(line('second') - line('30.0')) <= 3);
    assert.ok(line('second') - line('first') > 20);
    for (const heading of text.columns) {
      assert.equal(picture.find(heading, CAPTION_SIZE, [95, 95, 95]).length, 1, heading);
    }
    assert.equal(picture.find('nats²', LABEL_SIZE).length, 1);
  });

  it('draws the standard error on both sides, as far as the axis reaches', async () => {
    const picture = await draw([row('sharp', 1), row('vague', 10, 5), row('lost', 3, 4), row('far', 100)]);
    const width = (label: string) => {
      const { left, right } = inkOf(picture, label)!;
      return right - left;
    };
    assert.ok(width('vague') > 2 * width('sharp'));
    // From 5 to 15: log10(15 / 5) of two powers of ten on 520 pixels.
    assert.ok(Math.abs(width('vague') - (Math.log10(3) / 2) * 520) <= 4, `${width('vague')}`);
    assert.ok(width('lost') > width('vague'));
    assertMargins(picture);
  });

  it('has no dot for what a logarithm cannot show, and an axis all the same', async () => {
    const picture = await draw([row('zero', 0), row('negative', -1), row('none', Number.NaN)]);
    for (const label of ['zero', 'negative', 'none']) assert.equal(inkOf(picture, label), undefined, label);
    assert.ok(picture.find('1', CAPTION_SIZE).length > 0);
    assertMargins(picture);
  });

  it('labels very small and very large powers, and not all of many', async () => {
    const picture = await draw([row('small', 2e-7), row('large', 3e9)]);
    assert.equal(picture.find('1e-7', CAPTION_SIZE).length, 1);
    // 17 powers of ten, every third of which has a label.
    assert.equal(picture.find('1e-4', CAPTION_SIZE).length, 1);
    assert.equal(picture.find('1e-6', CAPTION_SIZE).length, 0);
    assertMargins(picture);
  });
});
