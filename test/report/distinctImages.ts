import assert from 'node:assert/strict';
import { type Box, type DecodedPicture, pack, type Rgb } from './decodedPicture.js';

export interface TestShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 3;
}

/** Colours that no other pixel of the same test and no (grey) text has. */
export function distinctColor(index: number): Rgb {
  assert.ok(index < 64 ** 2);
  return [20 + (index & 63), 20 + (index >> 6), 250];
}

/** Images [n, height, width, 3] in which each pixel has a colour of its own, counted on from `first`. */
export function distinctImages(n: number, { height, width }: TestShape, first = 0): Float32Array {
  const images = new Float32Array(n * height * width * 3);
  for (let pixel = 0; pixel < n * height * width; pixel++) {
    images.set(
      distinctColor(first + pixel).map((value) => value / 255),
      pixel * 3,
    );
  }
  return images;
}

/**
 * Where each of the images stands. Asserts that it is upright and complete: each of its pixels is one solid
 * square of the same size, in its row and its column.
 */
export function findTiles(picture: DecodedPicture, n: number, shape: TestShape, first = 0): Box[] {
  const { height, width } = shape;
  const boxes = picture.boxes();
  return Array.from({ length: n }, (_, image) => {
    const boxAt = (row: number, column: number) => {
      const box = boxes.get(pack(distinctColor(first + (image * height + row) * width + column)));
      assert.ok(box, `image ${image}, row ${row}, column ${column} is not in the picture`);
      return box;
    };
    const { left, top, right } = boxAt(0, 0);
    const scale = right - left + 1;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        assert.deepEqual(
          { ...boxAt(row, column) },
          {
            left: left + column * scale,
            top: top + row * scale,
            right: left + (column + 1) * scale - 1,
            bottom: top + (row + 1) * scale - 1,
            count: scale * scale,
          },
        );
      }
    }
    return { left, top, right: left + width * scale - 1, bottom: top + height * scale - 1 };
  });
}
