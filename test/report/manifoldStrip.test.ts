import assert from 'node:assert/strict';
import { it } from 'node:test';
import { manifoldStrip } from '#src/report/manifoldStrip.js';
import { assertMargins, DecodedPicture, middleOf } from './decodedPicture.js';
import { distinctImages, findTiles, type TestShape } from './distinctImages.js';

const shape: TestShape = { height: 3, width: 2, channels: 3 };

it('a strip stands grids side by side, each below its heading', async () => {
  const grids = [0, 100, 200].map((first) => distinctImages(4, shape, first));
  const headings = ['step 100', 'epoch 1', 'epoch 2'];
  const picture = DecodedPicture.of(
    await manifoldStrip(grids, { ...shape, side: 2, headings, title: 'title', note: 'note' }),
  );
  let right = 0;
  for (const [panel, first] of [0, 100, 200].entries()) {
    const tiles = findTiles(picture, 4, shape, first);
    assert.ok(tiles[0]!.left > right + 10, 'grids are apart');
    assert.equal(tiles[1]!.left, tiles[0]!.right + 1);
    assert.equal(tiles[2]!.top, tiles[0]!.bottom + 1);
    assert.equal(tiles[3]!.left, tiles[1]!.left);
    right = tiles[1]!.right;
    const [heading] = picture.find(headings[panel]!, 31);
    assert.ok(heading && heading.bottom < tiles[0]!.top);
    assert.ok(Math.abs(middleOf(heading).x - (tiles[0]!.left + right) / 2) <= 1);
  }
  assertMargins(picture, 40);
});

it('a strip refuses a grid that is too small', async () => {
  const options = { ...shape, side: 2, headings: ['epoch 1'], title: 'title' };
  await assert.rejects(manifoldStrip([distinctImages(3, shape)], options), {
    message: 'There are 3 images of the grid, but 4 are needed.',
  });
});
