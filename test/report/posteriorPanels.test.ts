import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LABEL_SIZE } from '#src/report/page.js';
import { type PosteriorPanel, posteriorPanels } from '#src/report/posteriorPanels.js';
import { assertMargins, DecodedPicture, middleOf } from './decodedPicture.js';

/** All mass in the upper right cell of four. */
const panel: PosteriorPanel = {
  heading: 'test image 3, class 0',
  middle: [0, 0],
  reach: 1,
  density: Float64Array.of(0, 0, 0, 2),
  samples: Float32Array.of(-0.5, -0.5, 5, 5),
  gaussian: { mean: [0.5, -0.5], deviation: [0.1, 0.2] },
};

test('density, draws and q stand where the axes say', async () => {
  const text = { title: 'The posterior of test images', samplesLabel: 'draws by HMC' };
  const picture = DecodedPicture.of(await posteriorPanels([panel], text));
  assertMargins(picture);
  const [heading] = picture.find(panel.heading, LABEL_SIZE);
  // The heading stands over the middle of the plot, 13 pixels above its 300 rows; the square takes the plot
  // but for a margin of 5 % of the square on each side.
  const { x, y } = middleOf(heading!);
  const at = (z1: number, z2: number) =>
    picture.at(Math.round(x + (z1 * 150) / 1.1), Math.round(y + 13 + 150 - (z2 * 150) / 1.1));
  assert.deepEqual(at(0.6, 0.6), [90, 160, 215], 'the densest cell');
  assert.deepEqual(at(-0.6, 0.63), [255, 255, 255], 'an empty cell');
  assert.ok(at(-0.5, -0.5)[0] < 200, 'a draw');
  assert.deepEqual(at(0.5, -0.5), [213, 94, 0], 'the mean of q');
  assert.ok(at(0.6, -0.5)[2] < 200 && at(0.7, -0.5)[2] < 200, 'one and two deviations along z1');
});

test('panels stand in rows of four', async () => {
  const text = { title: 'Posteriors', samplesLabel: 'draws by HMC' };
  const panels = Array.from({ length: 5 }, (_, i) => ({ ...panel, heading: `panel ${i}` }));
  const picture = DecodedPicture.of(await posteriorPanels(panels, text));
  assertMargins(picture);
  const places = panels.map(({ heading }) => middleOf(picture.find(heading, LABEL_SIZE)[0]!));
  assert.ok(places[3]!.y === places[0]!.y && places[4]!.y > places[0]!.y + 300);
  assert.equal(places[4]!.x, places[0]!.x);
});
