import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LABEL_SIZE, TITLE_SIZE } from '#src/report/page.js';
import { sampleGrid } from '#src/report/sampleGrid.js';
import { GAP } from '#src/report/tiles.js';
import { assertMargins, DecodedPicture } from './decodedPicture.js';
import { distinctImages, findTiles, type TestShape } from './distinctImages.js';

const grey = (height: number, width: number) => ({ height, width, channels: 1, title: 'samples' });

describe('sampleGrid', () => {
  it('stands images upright in reading order, with white gaps of one width', async () => {
    const shape: TestShape = { height: 4, width: 3, channels: 3 };
    const png = await sampleGrid(distinctImages(7, shape), { ...shape, title: 'samples' });
    const picture = DecodedPicture.of(png);
    const tiles = findTiles(picture, 7, shape);
    // √(7 · 4/3) = 3.06: four columns, so that the picture is nearly square.
    const [first] = tiles;
    const pitchX = first!.right - first!.left + 1 + GAP;
    const pitchY = first!.bottom - first!.top + 1 + GAP;
    tiles.forEach((tile, i) => {
      assert.equal(tile.left, first!.left + (i % 4) * pitchX);
      assert.equal(tile.top, first!.top + Math.floor(i / 4) * pitchY);
      for (let gap = 1; gap <= GAP; gap++) {
        assert.deepEqual(picture.at(tile.right + gap, tile.top), [255, 255, 255]);
        assert.deepEqual(picture.at(tile.left, tile.bottom + gap), [255, 255, 255]);
      }
    });
    assertMargins(picture);
  });

  it('draws 0 black, 1 white, what is beyond as the nearest of them, and NaN in magenta', async () => {
    const values = Float32Array.of(0, 1, 0.5, -3, 7, Number.NaN);
    const picture = DecodedPicture.of(await sampleGrid(values, { ...grey(1, 6), title: '' }));
    const tile = picture.boxOf((color) => color === 0)!;
    const scale = tile.bottom - tile.top + 1;
    const colors = Array.from({ length: 6 }, (_, i) => picture.at(tile.left + i * scale, tile.bottom));
    assert.deepEqual(colors, [
      [0, 0, 0],
      [255, 255, 255],
      [128, 128, 128],
      [0, 0, 0],
      [255, 255, 255],
      [255, 0, 255],
    ]);
  });

  it('writes the title, and the note below it, above the tiles', async () => {
    const shape: TestShape = { height: 5, width: 5, channels: 3 };
    const text = { title: 'samples after epoch 3', note: 'Means of p(x|z)' };
    const picture = DecodedPicture.of(await sampleGrid(distinctImages(4, shape), { ...shape, ...text }));
    const [title] = picture.find(text.title, TITLE_SIZE);
    const [note] = picture.find(text.note, LABEL_SIZE, [95, 95, 95]);
    const [tile] = findTiles(picture, 4, shape);
    assert.ok(title && note && tile);
    assert.equal(title.left, tile.left);
    assert.equal(note.left, tile.left);
    assert.ok(title.bottom < note.top && note.bottom < tile.top - 4);
  });

  it('cuts no title off, however long', async () => {
    const sentence = 'a title of many words '.repeat(12);
    const word = 'W'.repeat(90);
    const draw = async (title: string) => {
      const picture = DecodedPicture.of(await sampleGrid(new Float32Array(1), { ...grey(1, 1), title }));
      assertMargins(picture);
      return picture.width;
    };
    assert.ok((await draw(sentence)) < 700, 'a sentence goes on in the next line');
    assert.ok((await draw(`${sentence} ${word}`)) > 1400, 'a word is not divided');
  });

  it('makes pictures of a size to look at, and no larger than one to one where images are large', async () => {
    const widthOf = async (n: number, size: number) => {
      const images = new Float32Array(n * size * size);
      const png = await sampleGrid(images, grey(size, size));
      // The width stands behind signature, length and type of the first chunk.
      return Buffer.from(png).readUInt32BE(16);
    };
    for (const [n, size] of [
      [4, 28],
      [16, 28],
      [100, 28],
      [400, 28],
      [100, 8],
      [100, 64],
    ] as const) {
      const width = await widthOf(n, size);
      assert.ok(width >= 600 && width <= 1400, `${n} images of ${size}×${size}: ${width} pixels`);
    }
    // 3 columns, 2 gaps, 2 margins.
    assert.equal(await widthOf(9, 500), 3 * 500 + 2 * GAP + 2 * 24);
  });

  it('refuses what is no whole number of images, and channels that have no colour', async () => {
    await assert.rejects(sampleGrid(new Float32Array(10), grey(2, 2)), {
      message: 'The images are 10 numbers, which is no whole number of 2×2×1 images.',
    });
    await assert.rejects(sampleGrid(new Float32Array(16), { ...grey(2, 2), channels: 4 }), {
      message: 'The images have 4 channels. Pictures can be drawn of 1 (grey) or 3 (colour).',
    });
  });
});
