import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manifoldGrid } from '#src/report/manifoldGrid.js';
import { CAPTION_SIZE, LABEL_SIZE } from '#src/report/page.js';
import { assertMargins, DecodedPicture, middleOf } from './decodedPicture.js';
import { distinctImages, findTiles, type TestShape } from './distinctImages.js';

const shape: TestShape = { height: 3, width: 2, channels: 3 };

describe('manifoldGrid', () => {
  const zAt = [-1.5, -0.25, 0.75];

  it('stands the tiles side by side, the first row at the top', async () => {
    const picture = DecodedPicture.of(
      await manifoldGrid(distinctImages(9, shape), { ...shape, zAt, title: 'title' }),
    );
    const tiles = findTiles(picture, 9, shape);
    const [{ left, top, right, bottom }] = tiles as [(typeof tiles)[0]];
    tiles.forEach((tile, i) => {
      assert.equal(tile.left, left + (i % 3) * (right - left + 1));
      assert.equal(tile.top, top + Math.floor(i / 3) * (bottom - top + 1));
    });
    assertMargins(picture);
  });

  it('labels z1 to the right below the tiles, z2 upwards at their left', async () => {
    const picture = DecodedPicture.of(
      await manifoldGrid(distinctImages(9, shape), { ...shape, zAt, title: 'title' }),
    );
    const tiles = findTiles(picture, 9, shape);
    for (const [i, text] of ['-1.50', '-0.25', '0.75'].entries()) {
      const found = picture.find(text, CAPTION_SIZE);
      const below = found.find(({ top }) => top > tiles[8]!.bottom);
      const beside = found.find(({ right }) => right < tiles[0]!.left);
      assert.ok(below && beside, `${text} is missing on an axis`);
      // The middle of the column that it labels, and of the row counted from the bottom.
      assert.ok(Math.abs(middleOf(below).x - middleOf(tiles[i]!).x) <= 1);
      assert.ok(Math.abs(middleOf(beside).y - middleOf(tiles[3 * (2 - i)]!).y) <= 1);
    }
    const [z1] = picture.find('z1', LABEL_SIZE);
    const [z2] = picture.find('z2', LABEL_SIZE);
    assert.ok(z1!.top > tiles[8]!.bottom + 20 && z2!.right < tiles[0]!.left - 20);
  });

  it('leaves labels out where they would touch', async () => {
    const side = 30;
    const tiny = { height: 12, width: 12, channels: 1 };
    const many = Array.from({ length: side }, (_, i) => -2 + i * 0.1);
    const white = new Float32Array(side * side * 144).fill(1);
    const picture = DecodedPicture.of(await manifoldGrid(white, { ...tiny, zAt: many, title: 'title' }));
    // The tiles are white: the only ink in the lowest lines is that of labels, ticks and z1.
    const [z1] = picture.find('z1', LABEL_SIZE);
    const labels: { left: number; right: number }[] = [];
    for (const z of many) {
      const text = z.toFixed(2) === '-0.00' ? '0.00' : z.toFixed(2);
      const area = { ...picture.area, top: z1!.top - 40, bottom: z1!.top };
      const below = picture.find(text, CAPTION_SIZE, [0, 0, 0], area);
      labels.push(...below);
    }
    labels.sort((a, b) => a.left - b.left);
    assert.ok(labels.length >= 5, `only ${labels.length} labels`);
    labels.slice(1).forEach((label, i) => {
      assert.ok(label.left > labels[i]!.right + 4, 'labels touch');
    });
    assertMargins(picture);
  });

  it('refuses a grid that is not as the axis says', async () => {
    await assert.rejects(manifoldGrid(distinctImages(8, shape), { ...shape, zAt, title: 'title' }), {
      message: 'There are 8 images of the grid, but 9 are needed.',
    });
  });
});
