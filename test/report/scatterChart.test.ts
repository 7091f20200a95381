import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAPTION_SIZE, LABEL_SIZE } from '#src/report/page.js';
import { classColor } from '#src/report/palette.js';
import { scatterChart } from '#src/report/scatterChart.js';
import { assertMargins, DecodedPicture, middleOf, type Rgb } from './decodedPicture.js';

const text = { title: 'Posterior means', xLabel: 'z1', yLabel: 'z2' };

/** Ink of the class's hue: a dot is laid over paper by 0.7. */
const dotColor = (label: number): Rgb => {
  const [red, green, blue] = classColor(label).map((value) => Math.round(255 + 0.7 * (value - 255)));
  return [red!, green!, blue!];
};

const draw = async (points: readonly number[], classes?: readonly number[]) =>
  DecodedPicture.of(
    await scatterChart(Float32Array.from(points), {
      ...text,
      ...(classes ? { classes: Uint8Array.from(classes) } : {}),
    }),
  );

describe('scatterChart', () => {
  it('puts the points where the labels of the axes say, with a unit of one length on both', async () => {
    // Between the lines of the grid, which would shine through.
    const points = [-2, -0.9, 2, 1.1, 0, 2.1, 1, -1.9];
    const picture = await draw(points);
    const places = (label: string) => picture.find(label, CAPTION_SIZE).map(middleOf);
    // The labels of the x axis are the lowest; 2.0 is also the end of -2.0.
    const below = Math.max(...places('2.0').map(({ y }) => y));
    const x = (label: string) =>
      Math.max(...places(label).flatMap((place) => (place.y === below ? [place.x] : [])));
    const y = (label: string) => Math.min(...places(label).map((place) => place.y));
    const unit = (x('2.0') - x('-2.0')) / 4;
    assert.ok(Math.abs((y('-2.0') - y('2.0')) / 4 - unit) <= 1);
    for (let i = 0; i < points.length; i += 2) {
      const column = Math.round((x('-2.0') + x('2.0')) / 2 + points[i]! * unit);
      const row = Math.round((y('-2.0') + y('2.0')) / 2 - points[i + 1]! * unit);
      assert.deepEqual(picture.at(column, row), dotColor(0), `(${points[i]}, ${points[i + 1]})`);
    }
    assert.equal(picture.find('class', CAPTION_SIZE).length, 0, 'no classes, no legend');
    assertMargins(picture);
  });

  it('colours classes, names them in a legend and in the middle of their points', async () => {
    const points = [-2, -2, -2.2, -2, -1.8, -2, 2, 2, 2.2, 2, 1.8, 2];
    const picture = await draw(points, [3, 3, 3, 7, 7, 7]);
    const [heading] = picture.find('class', CAPTION_SIZE);
    for (const label of [3, 7]) {
      const legend = { ...picture.area, left: heading!.left, top: heading!.bottom };
      const [name] = picture.find(String(label), CAPTION_SIZE, [0, 0, 0], legend);
      assert.deepEqual(picture.at(name!.left - 12, Math.round(middleOf(name!).y)), classColor(label));
      const [middle] = picture.find(String(label), 18.5);
      assert.ok(middle, `${label} is not written among its points`);
    }
    const [three, seven] = ['3', '7'].map((label) => middleOf(picture.find(label, 18.5)[0]!));
    assert.ok(three!.x < seven!.x && three!.y > seven!.y);
    assertMargins(picture);
  });

  it('keeps the names of classes apart that lie over each other', async () => {
    const classes = Array.from({ length: 10 }, (_, i) => i);
    const points = classes.flatMap(() => [0.5, 0.5]);
    const picture = await draw([...points, 3, 3], [...classes, 0]);
    for (const label of classes) assert.equal(picture.find(String(label), 18.5).length, 1, `${label}`);
  });

  it('has room for 256 classes, and for none that can be drawn', async () => {
    const classes = Array.from({ length: 256 }, (_, i) => i);
    assertMargins(
      await draw(
        classes.flatMap((i) => [i % 16, i >> 4]),
        classes,
      ),
    );
    const picture = await draw([Number.NaN, 1, 0, Number.POSITIVE_INFINITY], [1, 2]);
    assert.equal(picture.find('no finite values', LABEL_SIZE, [95, 95, 95]).length, 1);
  });

  it('refuses classes that are not one a point', async () => {
    await assert.rejects(draw([0, 0, 1, 1], [1]), { message: 'There are 1 classes, but 2 points.' });
  });
});
