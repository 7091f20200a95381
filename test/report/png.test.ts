// What a PNG costs and that it is the same everywhere.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { Canvas } from '#src/report/canvas.js';
import { sampleGrid } from '#src/report/sampleGrid.js';
import { DecodedPicture } from './decodedPicture.js';

/**
 * The colour type in a PNG's header, whose place is fixed: 0 is grey, 2 is red, green, blue, and 3 is a
 * palette.
 */
const colorTypeOf = (png: Uint8Array) => png[25];

describe('PNGs', () => {
  it('are grey, with a palette, or with three channels, and show the same', async () => {
    const canvas = new Canvas(40, 30);
    canvas.fillRectangle(3, 4, 10, 10, [90, 90, 90]);
    assert.equal(colorTypeOf(await canvas.png()), 0);
    canvas.fillRectangle(20, 4, 10, 10, [200, 10, 90]);
    const few = await canvas.png();
    assert.equal(colorTypeOf(few), 3);
    assert.deepEqual(DecodedPicture.of(few).at(29, 13), [200, 10, 90]);
    assert.deepEqual(DecodedPicture.of(few).at(3, 4), [90, 90, 90]);
    for (let i = 0; i < 300; i++) canvas.blend(i % 40, 20 + Math.floor(i / 40), [i % 256, 7, i % 200]);
    const many = await canvas.png();
    assert.equal(colorTypeOf(many), 2);
    assert.deepEqual(DecodedPicture.of(many).at(29, 13), [200, 10, 90]);
    assert.deepEqual(DecodedPicture.of(many).at(39, 20), [39, 7, 39]);
  });

  it('have the same bytes on every Node and machine', async () => {
    const images = Float32Array.from({ length: 9 * 28 * 28 }, (_, i) => ((i * 7919) % 256) / 255);
    const png = await sampleGrid(images, {
      height: 28,
      width: 28,
      channels: 1,
      title: 'Nine samples: what p(x|z) means',
      note: 'cvae, d = 2 · step 1,875 · data mnist · seed 0',
    });
    // Made with fast-png 8.0.0 and fflate 0.8.3. Another version of theirs may compress otherwise.
    assert.equal(
      createHash('sha256').update(png).digest('hex'),
      'a1ae361c996d1978b737038eaa6050cdcfd11844b9dba984da1229e4bbd5317d',
    );
  });
});
