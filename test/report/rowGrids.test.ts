import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { interpolationGrid } from '#src/report/interpolationGrid.js';
import { CAPTION_SIZE, LABEL_SIZE } from '#src/report/page.js';
import { reconstructionGrid } from '#src/report/reconstructionGrid.js';
import { GAP } from '#src/report/tiles.js';
import { assertMargins, type Box, DecodedPicture, middleOf, type Rgb } from './decodedPicture.js';
import { distinctImages, findTiles, type TestShape } from './distinctImages.js';

const GREY: Rgb = [95, 95, 95];
const shape: TestShape = { height: 4, width: 6, channels: 3 };

/** Centred to the pixel: half a pixel of the tile's middle and half a pixel of rounding. */
function assertCentred(text: Box | undefined, tile: Box, axis: 'x' | 'y', tolerance = 1): void {
  assert.ok(text, 'the text is not in the picture');
  const off = middleOf(text)[axis] - middleOf(tile)[axis];
  assert.ok(Math.abs(off) <= tolerance, `${off} pixels off the middle`);
}

describe('reconstructionGrid', () => {
  const inputs = distinctImages(5, shape);
  const reconstructions = distinctImages(5, shape, 500);

  it('stands each reconstruction below its input, in as many pairs of rows as needed', async () => {
    const png = await reconstructionGrid(inputs, reconstructions, { ...shape, columns: 3, title: 'title' });
    const picture = DecodedPicture.of(png);
    const above = findTiles(picture, 5, shape);
    const below = findTiles(picture, 5, shape, 500);
    const pitch = above[1]!.left - above[0]!.left;
    assert.equal(pitch, above[0]!.right - above[0]!.left + 1 + GAP);
    for (let i = 0; i < 5; i++) {
      assert.equal(above[i]!.left, above[0]!.left + (i % 3) * pitch);
      assert.equal(above[i]!.top, above[i < 3 ? 0 : 3]!.top);
      assert.equal(below[i]!.left, above[i]!.left);
      assert.equal(below[i]!.top, above[i]!.bottom + 1 + GAP);
    }
    assert.ok(above[3]!.top > below[0]!.bottom + GAP, 'pairs of rows are apart');
    assertMargins(picture);
  });

  it('labels the rows at their left, at the height of their tiles', async () => {
    const png = await reconstructionGrid(inputs, reconstructions, { ...shape, columns: 3, title: 'title' });
    const picture = DecodedPicture.of(png);
    for (const [label, first] of [
      ['input', 0],
      ['reconstruction', 500],
    ] as const) {
      const found = picture.find(label, LABEL_SIZE);
      const tiles = findTiles(picture, 5, shape, first);
      assert.equal(found.length, 2);
      found.forEach((text, block) => {
        const tile = tiles[block * 3]!;
        assert.ok(text.right < tile.left && text.top > tile.top && text.bottom < tile.bottom);
      });
    }
  });

  it('writes lines of captions below their tiles, and the label of each line at the left', async () => {
    const captions = [
      { label: 'class', texts: ['7', '2', '1', '0', '4'] },
      { label: 'ELBO (nats)', texts: ['-101.25', '-99.50', '-3.75', '-160.00', '-88.25'] },
    ];
    const options = { ...shape, title: 'title', captions };
    const picture = DecodedPicture.of(await reconstructionGrid(inputs, reconstructions, options));
    const tiles = findTiles(picture, 5, shape, 500);
    let above = tiles[0]!.bottom;
    for (const { label, texts } of captions) {
      const [name] = picture.find(label, CAPTION_SIZE);
      const line = { ...picture.area, top: above, bottom: name!.bottom + 6 };
      for (const [i, tile] of tiles.entries()) {
        const column = { ...line, left: tile.left - 30, right: tile.right + 30 };
        const [caption] = picture.find(texts[i]!, CAPTION_SIZE, GREY, column);
        assertCentred(caption, tile, 'x');
        assert.ok(caption!.top > above && caption!.bottom < picture.height - 20);
        assert.ok(name!.right < caption!.left && name!.top < caption!.bottom && name!.bottom > caption!.top);
      }
      above = name!.bottom;
    }
    assertMargins(picture);
  });

  it('moves the tiles apart for captions that are wider', async () => {
    const narrow: TestShape = { height: 40, width: 1, channels: 3 };
    const images = distinctImages(2, narrow);
    const texts = ['one long caption', 'another long caption'];
    const captions = [{ label: '', texts }];
    const options = { ...narrow, title: 'title', captions };
    const picture = DecodedPicture.of(await reconstructionGrid(images, images, options));
    const [first] = picture.find(texts[0]!, CAPTION_SIZE, GREY);
    const [second] = picture.find(texts[1]!, CAPTION_SIZE, GREY);
    assert.ok(first && second && first.right + 4 < second.left);
    assertMargins(picture);
  });

  it('refuses numbers that do not fit together', async () => {
    const options = { ...shape, title: 'title' };
    await assert.rejects(reconstructionGrid(inputs, distinctImages(4, shape), options), {
      message: 'There are 4 reconstructions, but 5 are needed.',
    });
    await assert.rejects(
      reconstructionGrid(inputs, inputs, { ...options, captions: [{ label: 'class', texts: ['-1'] }] }),
      {
        message: 'There is 1 caption of class, but 5 are needed.',
      },
    );
  });
});

describe('interpolationGrid', () => {
  const steps = 4;
  const images = distinctImages(2 * steps, shape);
  const ends = { from: distinctImages(2, shape, 500), to: distinctImages(2, shape, 600) };
  const rowLabels = [
    { from: 'seven', to: 'one' },
    { from: 'two', to: 'four' },
  ];

  it('goes from left to right in each row, between the inputs', async () => {
    const png = await interpolationGrid(images, { ...shape, steps, ends, title: 'title' });
    const picture = DecodedPicture.of(png);
    const tiles = findTiles(picture, 2 * steps, shape);
    const from = findTiles(picture, 2, shape, 500);
    const to = findTiles(picture, 2, shape, 600);
    const pitch = tiles[0]!.right - tiles[0]!.left + 1 + GAP;
    tiles.forEach((tile, i) => {
      const row = Math.floor(i / steps);
      assert.equal(tile.left, tiles[0]!.left + (i % steps) * pitch);
      assert.equal(tile.top, tiles[0]!.top + row * (tiles[0]!.bottom - tiles[0]!.top + 1 + GAP));
      assert.equal(from[row]!.top, tile.top);
      assert.equal(to[row]!.top, tile.top);
    });
    assert.ok(from[0]!.right + GAP < tiles[0]!.left && to[0]!.left > tiles[steps - 1]!.right + GAP);
    assertMargins(picture);
  });

  it('labels both ends of the columns and of the rows', async () => {
    const png = await interpolationGrid(images, { ...shape, steps, ends, rowLabels, title: 'title' });
    const picture = DecodedPicture.of(png);
    const tiles = findTiles(picture, 2 * steps, shape);
    const from = findTiles(picture, 2, shape, 500);
    const to = findTiles(picture, 2, shape, 600);
    const find = (text: string) => picture.find(text, LABEL_SIZE);
    assertCentred(find('t = 0')[0], tiles[0]!, 'x');
    assertCentred(find('t = 1')[0], tiles[steps - 1]!, 'x');
    const inputs = find('input');
    assertCentred(inputs[0], from[0]!, 'x');
    assertCentred(inputs[1], to[0]!, 'x');
    for (const [row, label] of rowLabels.entries()) {
      const [left] = find(label.from);
      const [right] = find(label.to);
      // Small letters and ascenders: the middle of the ink is not that of the capitals.
      assertCentred(left, from[row]!, 'y', 3);
      assertCentred(right, to[row]!, 'y', 3);
      assert.ok(left!.right < from[row]!.left && right!.left > to[row]!.right);
    }
    assertMargins(picture);
  });

  it('draws no inputs where there are none', async () => {
    const picture = DecodedPicture.of(await interpolationGrid(images, { ...shape, steps, title: 'title' }));
    assert.deepEqual(picture.find('input', LABEL_SIZE), []);
    const ink = picture.ink()!;
    const tiles = findTiles(picture, 2 * steps, shape);
    assert.equal(ink.left, tiles[0]!.left);
    assert.equal(ink.right, tiles[steps - 1]!.right);
  });

  it('refuses numbers that do not fit together', async () => {
    const options = { ...shape, steps, title: 'title' };
    await assert.rejects(interpolationGrid(distinctImages(7, shape), options), {
      message: 'There are 7 images, which is no whole number of rows of 4 steps.',
    });
    await assert.rejects(interpolationGrid(images, { ...options, ends: { ...ends, to: images } }), {
      message: 'There are 8 inputs to go to, but 2 are needed.',
    });
    await assert.rejects(interpolationGrid(images, { ...options, rowLabels: rowLabels.slice(1) }), {
      message: 'There are labels for 1 rows, but there are 2 rows.',
    });
  });
});
