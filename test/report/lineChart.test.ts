import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ChartSeries, lineChart } from '#src/report/lineChart.js';
import { CAPTION_SIZE, LABEL_SIZE } from '#src/report/page.js';
import { roundTicks } from '#src/report/ticks.js';
import { assertMargins, DecodedPicture, middleOf, pack, type Rgb } from './decodedPicture.js';

const BLUE: Rgb = [0, 114, 178];
const ORANGE: Rgb = [213, 94, 0];
const text = { title: 'ELBO by epoch', xLabel: 'epoch' };

const is = (wanted: Rgb) => (color: number) => color === pack(wanted);

async function draw(...series: ChartSeries[]): Promise<DecodedPicture> {
  return DecodedPicture.of(await lineChart([{ yLabel: 'ELBO (nats)', series }], text));
}

describe('lineChart', () => {
  it('puts the points where the labels of the axes say', async () => {
    const points = [
      [1, -240],
      [2, -180],
      [3, -220],
      [5, -160],
    ] as const;
    const picture = await draw({ label: 'train', points });
    const tick = async (label: string, axis: 'x' | 'y') => {
      const places = picture.find(label, CAPTION_SIZE).map((box) => middleOf(box)[axis]);
      assert.equal(places.length, 1, `${label} is written ${places.length} times`);
      return places[0]!;
    };
    const [x1, x5] = [await tick('1', 'x'), await tick('5', 'x')];
    const [low, high] = [await tick('-240', 'y'), await tick('-160', 'y')];
    assert.ok(x1 < x5 && high < low, 'x grows to the right and y upwards');
    for (const [x, y] of points) {
      const column = Math.round(x1 + ((x - 1) / 4) * (x5 - x1));
      const row = Math.round(low + ((y + 240) / 80) * (high - low));
      // A dot's radius is 3 pixels: two pixels off it would still be seen, but not at its left, right, top
      // and bottom.
      for (const [dx, dy] of [
        [0, 0],
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ] as const) {
        assert.deepEqual(picture.at(column + dx, row + dy), BLUE, `(${x}, ${y})`);
      }
    }
    assertMargins(picture);
  });

  it('names the series in a legend above the plot, each beside its colour, and the axes', async () => {
    const picture = await draw({ label: 'train', points: [[1, -2]] }, { label: 'test', points: [[1, -3]] });
    for (const [label, color] of [
      ['train', BLUE],
      ['test', ORANGE],
    ] as const) {
      const [box] = picture.find(label, LABEL_SIZE);
      assert.ok(box, `${label} is missing`);
      const sample = { left: box.left - 36, right: box.left - 8, top: box.top, bottom: box.bottom };
      assert.ok(picture.boxOf(is(color), sample), `the colour of ${label} is missing`);
    }
    const [xLabel] = picture.find('epoch', LABEL_SIZE);
    assert.ok(xLabel && xLabel.top > picture.height - 60);
    // All that is known of the vertical label is that there is ink, higher than wide.
    const yLabel = picture.ink({ ...picture.area, right: 24 + 20, top: 60 })!;
    assert.ok(yLabel.bottom - yLabel.top > 3 * (yLabel.right - yLabel.left) && yLabel.count > 100);
  });

  it('stands panels one below the other, over one scale of x, each with its own of y', async () => {
    const [train, test] = [
      [1, 10],
      [3, 30],
    ].map(([x, y]) => ({ label: `${x}`, points: [[x!, y!]] as const }));
    const png = await lineChart(
      [
        { yLabel: 'KL', series: [train!, { label: 'test', points: [] }] },
        { yLabel: 'ELBO', series: [{ label: 'train', points: [] }, test!] },
      ],
      text,
    );
    const picture = DecodedPicture.of(png);
    const [above, below] = [picture.boxOf(is(BLUE), picture.area)!, picture.boxOf(is(ORANGE), picture.area)!];
    const ticks = (label: string) => picture.find(label, CAPTION_SIZE).filter((box) => box.left > 60);
    for (const label of ['1', '2', '3']) {
      const columns = ticks(label).map((box) => middleOf(box).x);
      assert.equal(new Set(columns).size, 1, `${label} stands in one column of both panels`);
      assert.equal(columns.length, 2);
    }
    assert.ok(above.bottom < middleOf(ticks('1')[0]!).y && below.bottom > middleOf(ticks('1')[0]!).y);
    assert.equal(picture.find('epoch', LABEL_SIZE).length, 1, 'the axis is named once');
    assertMargins(picture);
  });

  it('has the ticks and the range of an axis that it is given', async () => {
    const points = [
      [0, 40],
      [3, 60],
    ] as const;
    const xTicks = { values: [0, 3], texts: ['one', 'eight'] };
    const panel = { yLabel: '%', yRange: [0, 100] as const, series: [{ label: 'a', points }] };
    const picture = DecodedPicture.of(await lineChart([panel], { ...text, xTicks }));
    const columns = ['one', 'eight'].map((label) =>
      picture.find(label, CAPTION_SIZE).map((box) => middleOf(box).x),
    );
    const rows = ['20', '100'].map((label) =>
      picture.find(label, CAPTION_SIZE).map((box) => middleOf(box).y),
    );
    for (const places of [...columns, ...rows]) assert.equal(places.length, 1);
    const [low, high] = [rows[0]![0]!, rows[1]![0]!];
    for (const [i, [, y]] of points.entries()) {
      const row = Math.round(low + ((y - 20) / 80) * (high - low));
      assert.deepEqual(picture.at(Math.round(columns[i]![0]!), row), BLUE, `(${y})`);
    }
    // No round ticks between the given ones.
    for (const label of ['0.5', '1.5', '2.5']) assert.deepEqual(picture.find(label, CAPTION_SIZE), []);
    assertMargins(picture);
  });

  it('breaks the line at values that are not finite', async () => {
    const points = [
      [1, 0],
      [2, 0],
      [3, Number.NaN],
      [4, 0],
      [5, 0],
    ] as const;
    const picture = await draw({ label: 'train', points });
    const columns = Array.from({ length: picture.width }, (_, x) => x).filter((x) =>
      picture.boxOf(is(BLUE), { left: x, right: x, top: 100, bottom: picture.height - 80 }),
    );
    const [x1, x5] = [columns[0]!, columns.at(-1)!];
    const between = columns.filter((x) => x > x1 + (x5 - x1) * 0.3 && x < x1 + (x5 - x1) * 0.7);
    assert.deepEqual(between, []);
    assert.ok(columns.some((x) => Math.abs(x - (x1 + (x5 - x1) * 0.125)) < 2));
  });

  it('says so where there is nothing to draw', async () => {
    for (const points of [
      [],
      [[1, Number.NaN]],
      [[1, Number.NEGATIVE_INFINITY]],
    ] as ChartSeries['points'][]) {
      const picture = await draw({ label: 'train', points });
      assert.equal(picture.find('no finite values', LABEL_SIZE, [95, 95, 95]).length, 1);
    }
  });

  it('draws any finite points within its margins', async () => {
    const value = fc.oneof(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), fc.integer(), fc.constant(0));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, value), { maxLength: 5 }), async (points) => {
        assertMargins(await draw({ label: 'train', points }));
      }),
      { numRuns: 5 },
    );
  });
});

describe('roundTicks', () => {
  it('are round and have as many decimals as they need', () => {
    assert.deepEqual(roundTicks(-243.2, -157.9, 7).texts, ['-240', '-220', '-200', '-180', '-160']);
    assert.deepEqual(roundTicks(0.02, 0.31, 7).texts, ['0.05', '0.10', '0.15', '0.20', '0.25', '0.30']);
    assert.deepEqual(roundTicks(-0.11, 0.11, 7).texts, ['-0.10', '-0.05', '0', '0.05', '0.10']);
  });

  it('are whole numbers for epochs, however few', () => {
    assert.deepEqual(roundTicks(0.9, 3.1, 10, true).values, [1, 2, 3]);
    assert.deepEqual(roundTicks(1, 100, 10, true).values, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  });

  it('are within the range, apart by one step, and at least 2 and at most as many as asked for', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        fc.integer({ min: 5, max: 12 }),
        (low, span, most) => {
          const high = low + span;
          const { values, texts } = roundTicks(low, high, most);
          assert.ok(values.length >= 2 && values.length <= most, `${values.length} ticks`);
          const step = values[1]! - values[0]!;
          for (const value of values) {
            // What roundTicks admits beyond an end, and the rounding of step, division and product.
            const tolerance = step * 1e-9 + Math.abs(value) * 4 * Number.EPSILON;
            assert.ok(value >= low - tolerance && value <= high + tolerance, `${value} is outside`);
          }
          assert.equal(new Set(texts).size, texts.length, `${texts}`);
        },
      ),
    );
  });
});
